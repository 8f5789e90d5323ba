import { setTimeout as pause } from 'node:timers/promises';
import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { ownerOf, STREAMS } from '@tidegate/messaging/topology';
import { parsePlace, POSITION_HEADER } from '@tidegate/messaging/position-header';
import { type Arena } from './arena.js';
import { randomFrom } from './seed.js';
import { type Surprise } from './step.js';
import { tellStories } from './story.js';

export interface ClusterReport {
  /** How often the server that was killed led the stream of payments. */
  leadersKilled: number;
  kills: number;
  created: number;
  surprises: Surprise[];
}

/** How long a server stays away: longer than an election takes, so that the other two carry the load alone. */
const AWAY_MS = 2_500;

/**
 * SIGKILLs one server of the NATS cluster after the other while clients tell stories: every other time the one that leads the stream of payments. Each is
 * started again and has caught up before the next one falls, because two of three must be there.
 */
export async function killServersOfCluster(
  arena: Arena,
  options: { seed: number; kills: number; perSecond: number },
): Promise<ClusterReport> {
  const random = randomFrom(options.seed);
  const over = new AbortController();
  const load = tellStories(arena, randomFrom(options.seed + 1), {
    count: Number.MAX_SAFE_INTEGER,
    perSecond: options.perSecond,
    signal: over.signal,
  });
  const { natsCluster } = arena.stack;
  let leadersKilled = 0;
  try {
    for (let done = 0; done < options.kills; done += 1) {
      await pause(500 + random.below(1_000));
      const leader = await natsCluster.leaderOf('PAYMENTS_EVENTS');
      const victim = done % 2 === 0 && leader !== null ? leader : 1 + random.below(3);
      if (victim === leader) leadersKilled += 1;
      await natsCluster.killOne(victim);
      await pause(AWAY_MS);
      await natsCluster.startOne(victim);
    }
  } finally {
    over.abort();
  }
  const log = await load;
  return { leadersKilled, kills: options.kills, created: log.created.length, surprises: log.surprises };
}

/** What the streams of the cluster lack of what was published to them: nothing, as long as two of three servers were there at any time. */
export async function lostFromStreams(arena: Arena): Promise<string[]> {
  const urls = arena.stack.natsUrl().split(',');
  const { username, password } = new URL(urls[0]!);
  const nc = await connect({ servers: urls.map((url) => new URL(url).host), user: username, pass: password });
  try {
    const faults: string[] = [];
    for (const { stream } of STREAMS) {
      const [state] = await arena.sql<{ published: string }>(`SELECT published FROM ${ownerOf(stream)}.outbox_state`);
      const positions = await positionsIn(nc, stream);
      const published = Number(state!.published);
      const lost = Array.from({ length: published }, (_, index) => index + 1).filter((position) => !positions.has(position));
      if (lost.length > 0) faults.push(`${stream} lacks ${lost.length} of ${published}: ${lost.slice(0, 5).join(', ')} …`);
    }
    return faults;
  } finally {
    await nc.close();
  }
}

async function positionsIn(nc: Awaited<ReturnType<typeof connect>>, stream: string): Promise<Set<number>> {
  const js = jetstream(nc);
  const manager = await js.jetstreamManager();
  const positions = new Set<number>();
  const { last_seq, messages: held } = (await manager.streams.info(stream)).state;
  if (held === 0) return positions;
  const consumer = await js.consumers.get(stream, { headers_only: true });
  const messages = await consumer.consume();
  for await (const message of messages) {
    const place = parsePlace(message.headers?.get(POSITION_HEADER));
    if (place) positions.add(place.position);
    if (message.seq >= last_seq) break;
  }
  return positions;
}
