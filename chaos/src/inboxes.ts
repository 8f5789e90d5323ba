import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { DURABLES, ownerOf } from '@tidegate/messaging/topology';
import { type Arena } from './arena.js';

/** Where an inbox does not hold each published event exactly once, or has not handled one; empty when promise P5 holds. */
export async function inboxFaults(arena: Pick<Arena, 'sql'>): Promise<string[]> {
  const faults: string[] = [];
  for (const { durable, service, stream } of DURABLES) {
    const [published] = await arena.sql<{ head: string; count: string }>(
      `SELECT coalesce(max(position), 0) AS head, count(*) AS count FROM ${ownerOf(stream)}.outbox WHERE position IS NOT NULL`,
    );
    const [stored] = await arena.sql<{ count: string; distinct: string; head: string; unhandled: string; why: string | null }>(
      `SELECT count(*) AS count, count(DISTINCT position) AS distinct, coalesce(max(position), 0) AS head, count(*) FILTER (WHERE state <> 'done') AS unhandled,
              string_agg(DISTINCT state || ' after ' || failures || ' failures: ' || coalesce(reason, 'no reason'), '; ') FILTER (WHERE state <> 'done') AS why
         FROM ${service}.inbox i WHERE consumer = $1 AND generation = (SELECT live FROM ${service}.inbox_generations g WHERE g.consumer = i.consumer)`,
      [durable],
    );
    const expected = published!.head;
    if (published!.count !== expected) faults.push(`${ownerOf(stream)}.outbox: ${published!.count} rows up to position ${expected}`);
    if (stored!.count !== expected || stored!.distinct !== expected || stored!.head !== expected) {
      faults.push(`${durable}: ${stored!.count} rows, ${stored!.distinct} positions, up to ${stored!.head} of ${expected}`);
    }
    if (stored!.unhandled !== '0') faults.push(`${durable}: ${stored!.unhandled} not handled (${stored!.why})`);
  }
  return faults;
}

/** Per durable: how many messages the broker has sent again, and how many it may have outstanding. */
export async function redeliveries(arena: Arena): Promise<Record<string, { redelivered: number; prefetch: number }>> {
  const url = new URL(arena.stack.natsUrl());
  const nc = await connect({ servers: url.host, user: url.username, pass: url.password });
  try {
    const manager = await jetstreamManager(nc);
    const found: Record<string, { redelivered: number; prefetch: number }> = {};
    for (const { durable, stream } of DURABLES) {
      const info = await manager.consumers.info(stream, durable);
      found[durable] = { redelivered: info.num_redelivered, prefetch: info.config.max_ack_pending ?? 0 };
    }
    return found;
  } finally {
    await nc.close();
  }
}
