import type { OutboxReadReply } from '@tidegate/contracts/rpc/outbox-read';
import type { Broker } from '@tidegate/messaging/connection';
import type { Arrival } from '@tidegate/messaging/inbox-store';
import { StreamFollower } from '@tidegate/messaging/stream-follower';
import type { HealthRegistry } from '@tidegate/service-host/health';
import type { Startable } from '@tidegate/service-host/host';
import { everyLoop, type Loop } from '@tidegate/service-host/loop';
import type { Logger } from '@tidegate/telemetry/logger';
import type { EventLog } from './event-log.js';
import { EventOrder } from './event-order.js';
import type { NowAndThen } from './now-and-then.js';
import { isAway, type OutboxPages } from './outbox-pages.js';

export interface FeedOptions {
  broker: Broker;
  outbox: OutboxPages;
  logger: Logger;
  health: HealthRegistry;
  log: EventLog;
  nowAndThen: NowAndThen;
  /** Something was appended, or the log begins anew. */
  moved(): void;
}

const STREAM = 'PAYMENTS_EVENTS';
const HEAD_CHECK_MS = 2_000;
const GAP_AFTER_MS = 1_000;
const PAGE = 500;

/**
 * Brings what payments publishes into the log, in order of position and without a hole: from the broker as it comes, and from payments' outbox what the broker
 * did not bring. Asks payments for its head each 2 s and at once when the broker is back. While payments is away it waits at the hole.
 */
export class Feed {
  readonly loop: Loop;
  readonly consumer: Startable;
  readonly #follower: StreamFollower;
  readonly #order: EventOrder;
  #gap: NodeJS.Timeout | undefined;
  #levelAt = performance.now();
  #headReadAt = -Infinity;
  #away = false;

  constructor(private readonly options: FeedOptions) {
    const { broker, logger, health } = options;
    this.#order = new EventOrder(options.log, (position) =>
      logger.error({ event: 'billing_stream_unreadable', position }, 'An event is no contract of ours; it is left out'),
    );
    this.#follower = new StreamFollower({ broker, logger, stream: STREAM, take: (arrival) => this.#take(arrival) });
    this.loop = everyLoop({ name: 'billing_stream.head', intervalMs: HEAD_CHECK_MS, runOnce: () => this.#check(), health, logger });
    let forget: () => void = () => undefined;
    this.consumer = {
      start: async () => {
        forget = broker.onConnected(() => this.ask());
        void this.#follower.run();
      },
      stop: async () => {
        forget();
        clearTimeout(this.#gap);
        await this.#follower.stop();
      },
    };
  }

  /** Seconds since this process last had everything that payments has published; about 2 at most while all is well. */
  get lagSeconds(): number {
    return (performance.now() - this.#levelAt) / 1000;
  }

  /** When the last question for the head began that has brought everything up to there, in monotonic milliseconds. */
  get headReadAt(): number {
    return this.#headReadAt;
  }

  /** There is something that only payments can say. */
  ask(): void {
    this.loop.signal?.();
  }

  #take(arrival: Arrival): void {
    const judgement = this.#order.take(arrival);
    if (judgement === 'append') this.options.moved();
    if (judgement === 'ask') this.ask();
    if (judgement === 'hold')
      this.#gap ??= setTimeout(() => {
        this.#gap = undefined;
        this.ask();
      }, GAP_AFTER_MS);
  }

  async #check(): Promise<number> {
    try {
      await this.#readOn();
    } catch (error) {
      this.#report(error);
    }
    return 0;
  }

  /** Everything up to the head that payments has now. */
  async #readOn(): Promise<void> {
    const { log, moved } = this.options;
    const begun = performance.now();
    for (let target: number | null = null; ;) {
      const after = log.standing?.position ?? Number.MAX_SAFE_INTEGER;
      const page = await this.#page(after);
      const word = this.#order.read(page, after);
      if (word === 'epoch_went_back' || word === 'owner_behind') return this.#sayOwnerIsBehind(word, page);
      if (word === 'new_epoch' || word === 'below_floor') this.#sayBegunAnew(word, page);
      moved();
      target ??= page.head;
      const position = log.standing?.position ?? 0;
      if (position >= target) break;
      if (position === after) return;
    }
    this.#levelAt = performance.now();
    this.#headReadAt = begun;
  }

  async #page(after: number): Promise<OutboxReadReply> {
    const page = await this.options.outbox.read(after, PAGE);
    if (this.#away)
      this.options.logger.info({ event: 'billing_stream_owner_back', lag_seconds: this.lagSeconds }, 'Payments answers again');
    this.#away = false;
    return page;
  }

  #report(error: unknown): void {
    const { broker, logger, nowAndThen } = this.options;
    if (!isAway(error)) throw error;
    this.#away = true;
    if (!broker.connected) return;
    const waiting = this.#order.waits;
    nowAndThen.say(waiting ? 'waiting at a gap' : 'away', () =>
      logger.warn(
        { event: 'billing_stream_owner_away', waiting_at_gap: waiting, lag_seconds: this.lagSeconds, err: error },
        'Payments does not answer; the billing stream tells nothing above a gap meanwhile',
      ),
    );
  }

  #sayBegunAnew(reason: string, page: OutboxReadReply): void {
    const { logger } = this.options;
    const fields = { event: 'billing_stream_begins_anew', reason, epoch: page.epoch, head: page.head, floor: page.floor };
    if (reason === 'new_epoch') logger.warn(fields, 'Payments was restored from a backup: every connection is told to read the state anew');
    else logger.error(fields, 'Payments no longer keeps what this process has not seen: the connections that miss it are told so');
  }

  #sayOwnerIsBehind(reason: string, page: OutboxReadReply): void {
    const { logger, log, nowAndThen } = this.options;
    nowAndThen.say(reason, () =>
      logger.error(
        { event: 'billing_stream_owner_behind', reason, known: log.standing, epoch: page.epoch, head: page.head },
        'Payments has given out less than it said before: it was restored, and has not begun a new epoch yet',
      ),
    );
  }
}
