import { type ConsumerMessages, jetstream, type JsMsg } from '@nats-io/jetstream';
import { type NatsConnection } from '@nats-io/transport-node';
import { type Failpoints, atCall } from '@tidegate/database/failpoints';
import { type Logger } from '@tidegate/telemetry/logger';
import { fromStream } from './arrival.js';
import { type Broker } from './broker.js';
import { ensureDurable } from './ensure-topology.js';
import { type Arrival } from './inbox-store.js';
import { isJsError, JS_ERROR } from './js-api.js';
import { OneAtATime } from './one-at-a-time.js';
import { type DurableSpec } from './topology.js';
import { WakeUp } from './wake-up.js';
import { within } from './within.js';

export interface PullerOptions {
  broker: Broker;
  failpoints: Failpoints;
  logger: Logger;
  durable: DurableSpec;
  /** Stores arrivals durably; answers those that must not be acknowledged. Throws while the database is away. */
  store(arrivals: Arrival[]): Promise<ReadonlySet<Arrival>>;
}

const PULL = 256;
const IDLE_HEARTBEAT_MS = 1_000;
const AGAIN_MS = 250;
const FLUSH_TIMEOUT_MS = 2_000;

/**
 * Pulls a durable: store, then acknowledge, never nak. Starts over, with the durable ensured, whenever the broker was away or lost its store.
 * While the database does not take the batch in hand nothing more is pulled.
 */
export class Puller {
  private readonly again = new WakeUp();
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private messages: ConsumerMessages | undefined;
  private failures = 0;

  constructor(private readonly options: PullerOptions) {}

  run(): Promise<void> {
    return (this.running ??= this.untilStopped());
  }

  /** Pulls no more; the batch in hand is stored and acknowledged. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.messages?.stop();
    this.again.now();
    await this.running;
  }

  private async untilStopped(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        const nc = await this.connection();
        if (nc === null) return;
        await ensureDurable(nc, this.options.durable);
        await this.consume(nc);
      } catch (err) {
        this.report(err);
      }
      if (!this.stopping.signal.aborted) await this.again.within(AGAIN_MS);
    }
  }

  private async connection(): Promise<NatsConnection | null> {
    const { signal } = this.stopping;
    if (signal.aborted) return null;
    let end = (): void => undefined;
    const stopped = new Promise<null>((resolve) => (end = () => resolve(null)));
    signal.addEventListener('abort', end);
    try {
      return await Promise.race([this.options.broker.connection(), stopped]);
    } finally {
      signal.removeEventListener('abort', end);
    }
  }

  private async consume(nc: NatsConnection): Promise<void> {
    const { durable, broker } = this.options;
    const consumer = await jetstream(nc).consumers.get(durable.stream, durable.durable);
    const messages = await consumer.consume({ max_messages: PULL, idle_heartbeat: IDLE_HEARTBEAT_MS, abort_on_missing_resource: true });
    this.messages = messages;
    if (this.stopping.signal.aborted) messages.stop();
    const forget = broker.onDisconnected(() => messages.stop());
    this.failures = 0;
    const buffer: JsMsg[] = [];
    const settling = new OneAtATime(() =>
      this.settle(nc, buffer, messages).catch((error: unknown) => {
        messages.stop();
        throw error;
      }),
    );
    try {
      for await (const message of messages) {
        buffer.push(message);
        settling.request();
      }
    } finally {
      forget();
      messages.stop();
      await settling.idle();
    }
  }

  private async settle(nc: NatsConnection, buffer: JsMsg[], messages: ConsumerMessages): Promise<void> {
    // The messages that have already come in go into one transaction.
    await new Promise((resolve) => setImmediate(resolve));
    while (buffer.length > 0 && !this.stopping.signal.aborted) {
      const batch = buffer.splice(0, PULL).map((message) => ({ message, arrival: fromStream(message) }));
      for (const { message, arrival } of batch) if (!arrival) this.refuse(message);
      const kept = await this.storeUntilItWorks(
        batch.flatMap(({ arrival }) => arrival ?? []),
        messages,
      );
      if (kept === null) return;
      await this.acknowledge(
        nc,
        batch.filter(({ arrival }) => !arrival || !kept.has(arrival)).map(({ message }) => message),
      );
    }
  }

  private async storeUntilItWorks(arrivals: Arrival[], messages: ConsumerMessages): Promise<ReadonlySet<Arrival> | null> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.options.store(arrivals);
      } catch (err) {
        messages.stop();
        if (attempt === 1)
          this.options.logger.warn(
            { event: 'inbox_store_failed', consumer: this.options.durable.durable, err },
            'Storing failed; pulling stops until it works',
          );
        if (this.stopping.signal.aborted) return null;
        await this.again.within(Math.min(1_000, AGAIN_MS * attempt));
      }
    }
  }

  private async acknowledge(nc: NatsConnection, batch: JsMsg[]): Promise<void> {
    const { service, durable } = this.options.durable;
    await atCall(this.options.failpoints, `${service}.${durable}.ack`, async () => {
      for (const message of batch) message.ack();
      // A lost acknowledgement is a redelivery, which the inbox knows.
      await within(FLUSH_TIMEOUT_MS, nc.flush(), () => new Error('flush took too long')).catch(() => undefined);
    });
  }

  private refuse(message: JsMsg): void {
    this.options.logger.error(
      { event: 'message_refused', consumer: this.options.durable.durable, subject: message.subject, stream_sequence: message.seq },
      'A message without position, id or aggregate: no relay of ours published it',
    );
  }

  private report(err: unknown): void {
    if (this.stopping.signal.aborted || !this.options.broker.connected) return;
    this.failures += 1;
    const { durable, stream } = this.options.durable;
    const missing = isJsError(err, JS_ERROR.streamNotFound) || (err instanceof Error && err.message === 'stream not found');
    if (missing && this.failures % 40 === 1)
      this.options.logger.info({ event: 'stream_awaited', consumer: durable, stream }, 'Waiting for the owner to create its stream');
    if (!missing && this.failures % 20 === 1)
      this.options.logger.warn({ event: 'pull_failed', consumer: durable, failures: this.failures, err }, 'Pulling failed; trying again');
  }
}
