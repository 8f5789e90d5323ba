import { type JsMsg, jetstream } from '@nats-io/jetstream';
import { type Logger } from '@tidegate/telemetry/logger';
import { fromStream } from '../arrival.js';
import { type Broker } from '../broker.js';
import { createRebuildConsumer } from '../ensure-topology.js';
import { type Arrival } from '../inbox-store.js';
import { type DurableSpec } from '../topology.js';

const PAGE = 500;
const PAGE_WAIT_MS = 2_000;

/**
 * Reads a stream from its start to its present end and hands the messages over in pages. Answers how many there were; none, and a log line, when the
 * broker or the stream is not there: the owner's outbox has everything.
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
  let count = 0;
  for (;;) {
    const page: JsMsg[] = [];
    let pending = 0;
    for await (const message of await consumer.fetch({ max_messages: PAGE, expires: PAGE_WAIT_MS })) {
      page.push(message);
      pending = message.info.pending;
      // Waiting for more would last until the page's time is up.
      if (pending === 0) break;
    }
    count += page.length;
    if (page.length > 0) await store(page.flatMap((message) => fromStream(message) ?? []));
    if (page.length === 0 || pending === 0) return count;
  }
}
