import { jetstream } from '@nats-io/jetstream';
import { type NatsConnection } from '@nats-io/transport-node';
import { type Owner } from '@tidegate/contracts/subjects';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Metrics } from '@tidegate/telemetry/metrics';
import { type Broker, BrokerAway } from './broker.js';
import { ensureCanaryStream, ensureStream } from './ensure-topology.js';
import { isJsError, JS_ERROR, jsApi } from './js-api.js';
import { type CanarySpec, canaryOf, streamOf, type StreamSpec } from './topology.js';
import { WakeUp } from './wake-up.js';
import { within } from './within.js';

export interface CanaryOptions {
  broker: Broker;
  owner: Owner;
  logger: Logger;
  metrics?: Metrics;
  timing?: Partial<CanaryTiming>;
}

/** All in milliseconds. */
export interface CanaryTiming {
  everyMs: number;
  /** After a failure. */
  againMs: number;
  /** A broker whose disk is full may answer never (nats-server 2.9.10). */
  deadlineMs: number;
}

const TIMING: CanaryTiming = { everyMs: 5_000, againMs: 1_000, deadlineMs: 2_000 };
/** Events are far smaller; a stream with less room than this is as good as full. */
const LEAST_ROOM_BYTES = 64 * 1024;
const SAY_AGAIN_AFTER = 60;

/** The broker is connected and does not store. */
export class NotStored extends Error {
  override readonly name = 'NotStored';
}

/**
 * Proves regularly that the broker stores what this owner publishes: a connection, and the broker's own health check, stay fine when its disk or a
 * limit is full. A message goes into the owner's canary stream, same storage and copies as its events, and is confirmed; then the stream of the events is
 * asked whether it is there and has room. Makes either stream when it is missing.
 */
export class BrokerCanary {
  readonly name: string;
  private readonly canary: CanarySpec;
  private readonly stream: StreamSpec;
  private readonly timing: CanaryTiming;
  private readonly lost: { inc(): void } | undefined;
  private readonly wake = new WakeUp();
  private stopping = false;
  private running: Promise<void> | undefined;
  private lastBack = performance.now();
  private roundTripSeconds: number | null = null;
  private failures = 0;
  /** When the stream of the events was made, as the broker says: another one has none of the messages of this one. */
  private streamMade: string | undefined;
  private fill = 0;
  private reason: string | null = 'no canary has come back yet';

  constructor(private readonly options: CanaryOptions) {
    const stream = streamOf(options.owner);
    if (!stream) throw new Error(`Bug: ${options.owner} owns no stream`);
    this.name = `${options.owner}.canary`;
    this.stream = stream;
    this.canary = canaryOf(options.owner);
    this.timing = { ...TIMING, ...options.timing };
    options.metrics?.gauge(
      'broker_canary_seconds',
      'Round trip of the last message stored to prove that the broker stores; while none comes back, the time since the last one that did.',
      undefined,
      (gauge) => gauge.set(this.seconds()),
    );
    options.metrics?.gauge(
      'broker_stream_fill_ratio',
      'How full the stream of the events was at the last look, of NATS_STREAM_MAX_BYTES.',
      undefined,
      (gauge) => gauge.set(this.fill),
    );
    this.lost = options.metrics?.counter(
      'broker_stream_lost_total',
      'Looks at the stream of the events that found another one than before: the broker lost its store, or somebody deleted it.',
    );
  }

  /** Seconds: the last round trip, or while that fails the time since the last one that came back (at first: since the start). */
  seconds(): number {
    return this.roundTripSeconds ?? (performance.now() - this.lastBack) / 1000;
  }

  /** For readiness: throws NotStored unless the last canary came back, and not long ago. */
  check(): void {
    const { everyMs, deadlineMs } = this.timing;
    if (this.reason !== null) throw new NotStored(this.reason);
    if (performance.now() - this.lastBack > 2 * (everyMs + deadlineMs)) throw new NotStored('the last canary is too long ago');
  }

  run(): Promise<void> {
    return (this.running ??= this.untilStopped());
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.wake.now();
    await this.running;
  }

  private async untilStopped(): Promise<void> {
    const forget = this.options.broker.onConnected(() => this.wake.now());
    while (!this.stopping) {
      const back = await this.send();
      if (!this.stopping) await this.wake.within(back ? this.timing.everyMs : this.timing.againMs);
    }
    forget();
  }

  private async send(): Promise<boolean> {
    try {
      if (!this.options.broker.connected) throw new BrokerAway();
      const nc = await this.options.broker.connection();
      const tooLate = () => new NotStored(`the broker confirmed nothing within ${this.timing.deadlineMs} ms`);
      this.cameBack(await within(this.timing.deadlineMs, this.roundTrip(nc), tooLate));
      return true;
    } catch (error) {
      this.failed(error);
      return false;
    }
  }

  /** Seconds until the confirmation. */
  private async roundTrip(nc: NatsConnection): Promise<number> {
    const { topology } = this.options.broker;
    if (this.roundTripSeconds === null) await ensureCanaryStream(nc, this.canary, topology);
    const sent = performance.now();
    await jetstream(nc).publish(this.canary.subject, new Date().toISOString(), {
      timeout: this.timing.deadlineMs,
      expect: { streamName: this.canary.stream },
    });
    const seconds = (performance.now() - sent) / 1000;
    await this.hasRoom(nc);
    return seconds;
  }

  private async hasRoom(nc: NatsConnection): Promise<void> {
    const info = () => jsApi<StreamInfo>(nc, `STREAM.INFO.${this.stream.stream}`);
    const { state, config, created } = await info().catch(async (error: unknown) => {
      if (!isJsError(error, JS_ERROR.streamNotFound)) throw error;
      await ensureStream(nc, this.stream, this.options.broker.topology);
      return info();
    });
    if (this.streamMade !== undefined && this.streamMade !== created) this.lost?.inc();
    this.streamMade = created;
    this.fill = config.max_bytes > 0 ? state.bytes / config.max_bytes : 0;
    if (config.max_bytes > 0 && state.bytes + LEAST_ROOM_BYTES >= config.max_bytes)
      throw new NotStored(`${this.stream.stream} is full: ${state.bytes} of ${config.max_bytes} bytes`);
  }

  private cameBack(seconds: number): void {
    if (this.failures > 0)
      this.options.logger.info(
        { event: 'broker_canary_back', stream: this.stream.stream, away_seconds: (performance.now() - this.lastBack) / 1000 },
        'The broker stores again',
      );
    this.failures = 0;
    this.reason = null;
    this.lastBack = performance.now();
    this.roundTripSeconds = seconds;
  }

  private failed(err: unknown): void {
    this.roundTripSeconds = null;
    this.reason = err instanceof Error ? err.message : String(err);
    // A broker that is away is told of by the connection.
    if (this.stopping || err instanceof BrokerAway) return;
    this.failures += 1;
    if (this.failures % SAY_AGAIN_AFTER === 1)
      this.options.logger.warn(
        { event: 'broker_canary_failed', stream: this.stream.stream, failures: this.failures, err },
        'The broker is connected and does not store; events wait in the outbox, and consumers read them there',
      );
  }
}

interface StreamInfo {
  created: string;
  state: { bytes: number };
  config: { max_bytes: number };
}
