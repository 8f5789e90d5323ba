import { OutboxReadRequest, type OutboxReadReply } from '@tidegate/contracts/rpc/outbox-read';
import { type Owner, outboxReadSubject } from '@tidegate/contracts/subjects';
import { type Db } from '@tidegate/database/database';
import { sql } from 'kysely';
import { type Broker } from './broker.js';
import { readOutboxState, readOutboxWaiting, readStamped } from './outbox-rows.js';
import { type RpcServer, serveRpc } from './rpc.js';

const PAGE_BYTES = 512 * 1024;

/** Serves `<owner>.rpc.outbox.read.v1`: what consumers fill gaps from. Any replica of the owner may answer. */
export function serveOutboxRead(broker: Broker, db: Db, owner: Owner): RpcServer {
  return serveRpc(broker, outboxReadSubject(owner), owner, (request) => readPage(db, OutboxReadRequest.parse(request)), { traced: false });
}

/**
 * One page of at most 512 KiB, but at least one row. What waits is read before the head, and the head after the rows, so it is never below them. Most who ask have
 * everything already: that is one statement.
 */
export async function readPage(db: Db, { after, limit, inbox = false }: OutboxReadRequest): Promise<OutboxReadReply> {
  // Before the head: what is handled in between has its place below the head, or in what waits.
  const waiting = inbox ? { inbox_ms: await oldestUntried(db) } : {};
  const { unstamped_ms, published: _, ...standing } = await readOutboxWaiting(db);
  if (standing.head <= after) return { ...standing, ...waiting, unstamped_ms, rows: [] };
  const stamped = await readStamped(db, after, limit, PAGE_BYTES);
  const rows: OutboxReadReply['rows'] = [];
  let size = 0;
  for (const { bytes, ...row } of stamped) {
    const next = { ...row, body: bytes.toString('utf8') };
    size += Buffer.byteLength(JSON.stringify(next));
    if (rows.length > 0 && size > PAGE_BYTES) break;
    rows.push(next);
  }
  const { epoch, epoch_start, floor, head } = await readOutboxState(db);
  return { epoch, epoch_start, floor, head, ...waiting, unstamped_ms, rows };
}

/** What was tried and failed is not on its way: it holds its lane until somebody looks. */
async function oldestUntried(db: Db): Promise<number | null> {
  const { rows } = await sql<{ ms: number | null }>`
    SELECT least((extract(epoch FROM clock_timestamp() - min(i.stored_at)) * 1000)::bigint, CASE WHEN count(*) > 0 THEN 2147483647 END)::int AS ms
    FROM inbox i JOIN inbox_generations g ON g.consumer = i.consumer AND g.live = i.generation
    WHERE i.state = 'pending' AND i.failures = 0`.execute(db);
  return rows[0]?.ms ?? null;
}
