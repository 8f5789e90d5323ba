import type { Writable } from 'node:stream';
import type { Broker } from '@tidegate/messaging/connection';
import { formatPlace } from '@tidegate/messaging/position-header';
import type { RpcClient } from '@tidegate/messaging/rpc';
import type { HealthRegistry } from '@tidegate/service-host/health';
import type { Startable } from '@tidegate/service-host/host';
import type { Loop } from '@tidegate/service-host/loop';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Caller } from '../api-key/authenticator.js';
import type { StreamMetrics } from './billing-stream.metrics.js';
import { type CloseReason, type ConnectionLimits, type Follow, StreamConnection } from './connection.js';
import { EventLog } from './event-log.js';
import { Feed } from './feed.js';
import { NowAndThen } from './now-and-then.js';
import { OlderEvents } from './older-events.js';
import { isAway, OutboxPages } from './outbox-pages.js';
import type { Refusal } from './refused.js';

export interface BillingStreamOptions {
  broker: Broker;
  rpc: RpcClient;
  logger: Logger;
  health: HealthRegistry;
  metrics: StreamMetrics;
  limits: ConnectionLimits & { maxConnections: number };
  /** Whether the key behind a caller still is one. Rejects while that cannot be known. */
  stillGood(caller: Caller): Promise<boolean>;
}

const TICK_MS = 1_000;
/** What this process remembers, for clients that come back after a short break. */
const MEMORY_BYTES = 16 * 1024 ** 2;

/** The connections of this process, and the feed that they all hang on. */
export class BillingStream {
  readonly #log = new EventLog(MEMORY_BYTES);
  readonly #nowAndThen = new NowAndThen();
  readonly #feed: Feed;
  readonly #older: OlderEvents;
  readonly #connections = new Set<StreamConnection>();
  #ticker: NodeJS.Timeout | undefined;
  #keysCheckedAt = 0;
  #pumpDue = false;
  #ending = false;

  constructor(private readonly options: BillingStreamOptions) {
    const outbox = new OutboxPages(options.rpc);
    this.#feed = new Feed({ ...options, log: this.#log, outbox, nowAndThen: this.#nowAndThen, moved: () => this.#pumpSoon() });
    this.#older = new OlderEvents(outbox);
    options.metrics.observe({ connections: () => this.#connections.size, lagSeconds: () => this.#feed.lagSeconds });
  }

  get loop(): Loop {
    return this.#feed.loop;
  }

  /** Its stop ends every connection: this process hears of nothing from then on, and their clients find another one. */
  get consumer(): Startable {
    const { start, stop } = this.#feed.consumer;
    return {
      start,
      stop: () => {
        this.#closeAll();
        return stop();
      },
    };
  }

  /** The id of the last event that this process knows of; null until payments has answered. */
  get lastEventId(): string | null {
    return this.#log.standing && formatPlace(this.#log.standing);
  }

  /** Null when a client of this tenant can be let in. */
  refusalOf(tenant: string): Refusal | null {
    if (this.#ending) return 'stopping';
    if (!this.#log.standing) return 'not_ready';
    return this.#isFull && !this.#inTheWayOf(tenant) ? 'full' : null;
  }

  get #isFull(): boolean {
    return this.#connections.size >= this.options.limits.maxConnections;
  }

  /** The oldest connection of the tenant that has most, unless this one would have as many with its place: one tenant must not keep all others out. */
  #inTheWayOf(tenant: string): StreamConnection | undefined {
    const ofTenants = Map.groupBy(this.#connections, (one) => one.follow.caller.tenant);
    const [most = []] = [...ofTenants.values()].toSorted((a, b) => b.length - a.length);
    return most.length > (ofTenants.get(tenant)?.length ?? 0) + 1 ? most[0] : undefined;
  }

  /** Writes the stream that a client asks for to `out` until one of both ends. Only when there is no refusal. */
  open(out: Writable, follow: Follow): void {
    if (out.destroyed) return;
    const { metrics, limits, logger } = this.options;
    if (this.#isFull) this.#inTheWayOf(follow.caller.tenant)?.close('room');
    const connection = new StreamConnection(out, follow, {
      log: this.#log,
      older: this.#older,
      limits,
      now: () => performance.now(),
      headReadAt: () => this.#feed.headReadAt,
      sent: (count) => metrics.sent(count),
      wasReset: (one, reason) => {
        metrics.reset(reason);
        const cameWith = one.follow.lastSeen && formatPlace(one.follow.lastSeen);
        logger.info(
          { event: 'billing_stream_reset', reason, last_event_id: cameWith, ...whoIs(one) },
          'A client is told to read the state anew',
        );
      },
      closed: (one, reason) => this.#closed(one, reason),
      waits: (error) => this.#waits(error),
    });
    this.#connections.add(connection);
    this.#ticker ??= setInterval(() => this.#tick(), TICK_MS).unref();
  }

  #closeAll(): void {
    this.#ending = true;
    for (const connection of this.#connections) connection.close('shutdown');
  }

  /** Everything that came in one turn of the event loop goes out together. */
  #pumpSoon(): void {
    if (this.#pumpDue) return;
    this.#pumpDue = true;
    setImmediate(() => {
      this.#pumpDue = false;
      for (const connection of this.#connections) connection.pump();
    });
  }

  #tick(): void {
    for (const connection of this.#connections) connection.tick();
    if (performance.now() - this.#keysCheckedAt < this.options.limits.heartbeatMs) return;
    this.#keysCheckedAt = performance.now();
    for (const connection of this.#connections) void this.#checkKey(connection);
  }

  async #checkKey(connection: StreamConnection): Promise<void> {
    try {
      if (!(await this.options.stillGood(connection.follow.caller))) connection.close('key');
    } catch {
      // The database is away: no reason to call a key invalid.
    }
  }

  #closed(connection: StreamConnection, reason: CloseReason): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) {
      clearInterval(this.#ticker);
      this.#ticker = undefined;
    }
    const { metrics, logger } = this.options;
    metrics.closed(reason);
    const fields = { event: 'billing_stream_closed', reason, ...whoIs(connection) };
    if (reason === 'slow') logger.warn(fields, 'A client did not take what was sent and was cut off');
    else logger.debug(fields);
  }

  #waits(error?: unknown): void {
    this.#feed.ask();
    // The feed, which asks as well, says that payments is away.
    if (error === undefined || isAway(error)) return;
    this.#nowAndThen.say('read failed', () =>
      this.options.logger.error(
        { event: 'billing_stream_read_failed', err: error },
        "Payments' outbox could not be read for a client; trying again",
      ),
    );
  }
}

const whoIs = ({ follow: { caller }, openedAt, sent, place }: StreamConnection) => ({
  tenant: caller.tenant,
  actor: caller.actor,
  seconds: Math.round((performance.now() - openedAt) / 1000),
  sent,
  epoch: place.epoch,
  position: place.position,
});
