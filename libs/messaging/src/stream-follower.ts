import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { type StreamName } from '@tidegate/contracts/subjects';
import { type Logger } from '@tidegate/telemetry/logger';
import { fromStream } from './arrival.js';
import { type Broker } from './broker.js';
import { type Arrival } from './inbox-store.js';
import { isJsError, JS_ERROR, jsApi, nanosOf } from './js-api.js';
import { followRequest, inboxPrefixOf } from './topology.js';
import { WakeUp } from './wake-up.js';

export interface FollowerOptions {
  broker: Broker;
  logger: Logger;
  stream: StreamName;
  /** Gets each message as it comes, in the order of the stream. Must be quick: nothing is buffered. */
  take(arrival: Arrival): void;
}

const IDLE_HEARTBEAT_MS = 1_000;
/** Silence after which the consumer is taken for gone: the server that had it may have lost its store. */
const SILENT_MS = 3_500;
const ABANDONED_MS = 30_000;
const AGAIN_MS = 250;

const CONSUMER = {
  deliver_policy: 'new',
  replay_policy: 'instant',
  ack_policy: 'none',
  max_deliver: -1,
  idle_heartbeat: nanosOf(IDLE_HEARTBEAT_MS),
  inactive_threshold: nanosOf(ABANDONED_MS),
  mem_storage: true,
};

/**
 * Hands over what is stored in a stream from now on, by an ephemeral consumer in the broker's memory that pushes to the inbox of this process. It acknowledges and
 * remembers nothing. What is stored while there is no consumer (a reconnect, a broker that lost its store) is left out: who follows knows by the
 * positions, and reads the owner's outbox.
 */
export class StreamFollower {
  private readonly wake = new WakeUp();
  private running: Promise<void> | undefined;
  private stopping = false;
  private failures = 0;

  constructor(private readonly options: FollowerOptions) {}

  run(): Promise<void> {
    return (this.running ??= this.untilStopped());
  }

  /** Hands over nothing more. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wake.now();
    // Without a connection it waits for one, or for the broker's end.
    if (this.options.broker.connected) await this.running;
  }

  private async untilStopped(): Promise<void> {
    while (!this.stopping) {
      try {
        const nc = await this.options.broker.connection();
        if (!this.stopping) await this.follow(nc);
      } catch (err) {
        this.report(err);
      }
      if (!this.stopping) await this.wake.within(AGAIN_MS);
    }
  }

  /** Resolves when the consumer is gone, or was told to end. */
  private async follow(nc: NatsConnection): Promise<void> {
    const { broker, stream } = this.options;
    const inbox = createInbox(inboxPrefixOf(broker.service));
    let heardAt: number;
    let lost = false;
    const end = () => {
      lost = true;
      this.wake.now();
    };
    const subscription = nc.subscribe(inbox, {
      callback: (err, message) => {
        if (err) return end();
        heardAt = performance.now();
        this.take(message);
      },
    });
    const forget = broker.onDisconnected(end);
    try {
      await jsApi(nc, followRequest(stream), { stream_name: stream, config: { ...CONSUMER, deliver_subject: inbox } });
      this.failures = 0;
      heardAt = performance.now();
      while (!this.stopping && !lost && performance.now() - heardAt < SILENT_MS) await this.wake.within(IDLE_HEARTBEAT_MS);
    } finally {
      forget();
      if (!subscription.isClosed()) subscription.unsubscribe();
    }
  }

  /** Heartbeats of the server have a status and no payload. */
  private take(message: Msg): void {
    if (this.stopping || message.headers?.code) return;

    const arrival = fromStream(message);
    if (arrival) this.options.take(arrival);
  }

  private report(err: unknown): void {
    if (this.stopping || !this.options.broker.connected) return;
    this.failures += 1;
    const { stream, logger } = this.options;
    if (isJsError(err, JS_ERROR.streamNotFound)) {
      if (this.failures % 40 === 1) logger.info({ event: 'stream_awaited', stream }, 'Waiting for the owner to create its stream');
    } else if (this.failures % 20 === 1)
      logger.warn({ event: 'follow_failed', stream, failures: this.failures, err }, 'Following the stream failed; trying again');
  }
}
