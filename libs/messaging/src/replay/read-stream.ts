import { setImmediate as turn } from 'node:timers/promises';
import { type ConsumerMessages, jetstream } from '@nats-io/jetstream';
import { type Envelope } from '@tidegate/contracts/envelope';
import { type Logger } from '@tidegate/telemetry/logger';
import { fromStream } from '../arrival.js';
import { type Broker } from '../broker.js';
import { createRebuildConsumer } from '../ensure-topology.js';
import { type Arrival } from '../inbox-store.js';
import { type DurableSpec } from '../topology.js';

/** Messages that go into one transaction. Some three times as many are in memory: those being stored, those being gathered, and those that have been asked for. */
const PAGE = 5_000;
/** Messages that are here already come without a turn of the event loop; the database's answers to the page before would wait for all of them. */
const A_TURN = 20;
const IDLE_HEARTBEAT_MS = 1_000;
/** A stream that has more and gives nothing for so long is left to its owner. */
const SILENT_MS = 5_000;

/**
 * Reads a stream from its start to its present end and hands the messages over in pages, the next one while the one before is stored. Answers how many there were;
 * none, and a log line, when the broker or the stream is not there: the owner's outbox has everything.
 */
export async function readStream(
  broker: Broker,
  spec: DurableSpec,
  logger: Logger,
  store: (arrivals: Arrival[]) => Promise<unknown>,
): Promise<number> {
  try {
    if (!broker.connected) throw new Error('The broker is away');
    return await readThrough(broker, spec, store);
  } catch (err) {
    logger.warn(
      { event: 'stream_replay_skipped', stream: spec.stream, err },
      "The stream cannot be replayed; the owner's outbox is read instead",
    );
    return 0;
  }
}

async function readThrough(broker: Broker, spec: DurableSpec, store: (arrivals: Arrival[]) => Promise<unknown>): Promise<number> {
  const nc = await broker.connection();
  const consumer = await jetstream(nc).consumers.get(spec.stream, await createRebuildConsumer(nc, spec));
  const { num_pending: expected } = await consumer.info(true);
  if (expected === 0) return 0;
  const messages = await consumer.consume({ max_messages: PAGE, idle_heartbeat: IDLE_HEARTBEAT_MS, abort_on_missing_resource: true });
  const forget = broker.onDisconnected(() => messages.stop());
  const pages = new Pages(messages, store);
  const watch = setInterval(() => pages.stopWhenSilent(), IDLE_HEARTBEAT_MS);
  try {
    for await (const message of messages) {
      // What is left is read from each message's address, which is not worth it before it can be the last one.
      const isLast = pages.count + 1 >= expected && message.info.pending === 0;
      const arrival = fromStream(message);
      if (arrival) readIn(arrival);
      if (pages.take(arrival) || isLast) await pages.next();
      // Waiting for more would have no end.
      if (isLast) break;
      if (pages.count % A_TURN === 0) await turn();
    }
  } finally {
    clearInterval(watch);
    forget();
    messages.stop();
    await pages.end();
  }
  return pages.count;
}

/** While the database works on the page before. What is no JSON is left to whoever handles it. */
function readIn(arrival: Arrival): void {
  try {
    arrival.envelope = JSON.parse(arrival.bytes.toString('utf8')) as Envelope;
  } catch {
    return;
  }
}

/** Gathers a page while the one before is being stored. */
class Pages {
  count = 0;
  private page: Arrival[] = [];
  private storing: Promise<unknown> | null = null;
  private failure: { error: unknown } | null = null;
  private heardAt = performance.now();

  constructor(
    private readonly messages: ConsumerMessages,
    private readonly store: (arrivals: Arrival[]) => Promise<unknown>,
  ) {}

  /** Answers whether the page is full: then it is time for the next one. */
  take(arrival: Arrival | null): boolean {
    this.heardAt = performance.now();
    this.count += 1;
    if (arrival) this.page.push(arrival);
    return this.page.length >= PAGE;
  }

  /** Stores what was gathered last. Throws what storing threw. */
  async end(): Promise<void> {
    if (!this.failure) await this.next();
    await this.storing;
    if (this.failure) throw this.failure.error;
  }

  stopWhenSilent(): void {
    if (!this.storing && performance.now() - this.heardAt > SILENT_MS) this.messages.stop();
  }

  /** Waits for the page before, and has this one stored. */
  async next(): Promise<void> {
    await this.storing;
    if (this.failure || this.page.length === 0) return;
    const page = this.page;
    this.page = [];
    this.storing = this.store(page)
      .catch((error: unknown) => {
        this.failure = { error };
        this.messages.stop();
      })
      .finally(() => {
        this.storing = null;
        this.heardAt = performance.now();
      });
  }
}
