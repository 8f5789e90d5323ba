import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

/**
 * The peer that `bench -- rebuild` measures a rebuild against: every message of the stream read once from the broker by an ordered consumer, counted, and nothing else. Runs
 * in a process of its own; asked by IPC, it answers how many messages and how long.
 */
export interface RawRead {
  messages: number;
  seconds: number;
}

const { NATS_URL, STREAM } = process.env;
const url = new URL(NATS_URL!);
const nc = await connect({ servers: url.host, user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) });

process.on('message', () => void readAll().then((read) => process.send!(read)));
process.on('disconnect', () => process.exit(0));
process.send!('ready');

async function readAll(): Promise<RawRead> {
  const manager = await jetstreamManager(nc);
  const { state } = await manager.streams.info(STREAM!);
  const consumer = await jetstream(nc).consumers.get(STREAM!, {});
  const startedAt = performance.now();
  let messages = 0;
  const all = await consumer.consume({ max_messages: 5_000 });
  for await (const message of all) {
    messages += 1;
    if (message.seq >= state.last_seq) break;
  }
  all.stop();
  return { messages, seconds: (performance.now() - startedAt) / 1000 };
}
