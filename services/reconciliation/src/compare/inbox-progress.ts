import { setTimeout as delay } from 'node:timers/promises';
import type { OutboxReadReply } from '@tidegate/contracts/rpc/outbox-read';
import { outboxReadSubject, type Owner } from '@tidegate/contracts/subjects';
import { type RpcClient, RpcTimeout, RpcUnavailable } from '@tidegate/messaging/rpc';
import { type Kysely, sql } from 'kysely';
import type { ReconciliationTables } from '../tables.js';

const POLL_MS = 100;
const HEAD_TIMEOUT_MS = 5000;
/** Above any position: only the head is wanted, no rows. */
const BEYOND = Number.MAX_SAFE_INTEGER;

/** Resolve when everything that was published by now is projected here. Reject when that takes too long. */
export interface InboxProgress {
  /** What payments has published. Answers for how long the oldest news has waited that payments has stored and not handled yet, in milliseconds; 0 when none does. */
  caughtUp(stopping: AbortSignal, alive?: () => void): Promise<number>;
  /** What receipts has published. */
  receiptsCaughtUp(stopping: AbortSignal, alive?: () => void): Promise<void>;
}

/** What was published has not been projected here in time, so nothing can be said about what is missing. */
export class InboxBehind extends Error {
  override name = 'InboxBehind';
}

/**
 * Waits until the inbox has stored and handled everything up to the position that the owner reports now. A dead letter below it is not handled either:
 * its payment is not known here, and the wait ends with InboxBehind.
 */
export function inboxProgress(db: Kysely<ReconciliationTables>, rpc: Pick<RpcClient, 'request'>, patienceMs: number): InboxProgress {
  async function reached(owner: Owner, stopping: AbortSignal, alive?: () => void): Promise<number> {
    const deadline = performance.now() + patienceMs;
    const { epoch, head, inbox_ms } = await headOf(owner, rpc, deadline, stopping, alive);
    while (!(await hasHandled(db, `reconciliation-${owner}`, epoch, head))) {
      if (performance.now() >= deadline) throw new InboxBehind(`the inbox has not reached position ${epoch}:${head} of ${owner}`);
      alive?.();
      await delay(POLL_MS, undefined, { signal: stopping });
    }
    return inbox_ms ?? 0;
  }
  return {
    caughtUp: (stopping, alive) => reached('payments', stopping, alive),
    receiptsCaughtUp: async (stopping, alive) => void (await reached('receipts', stopping, alive)),
  };
}

/** The position of all that the owner had committed when this began. It may be restarting: it is asked again until the deadline. */
async function headOf(
  owner: Owner,
  rpc: Pick<RpcClient, 'request'>,
  deadline: number,
  stopping: AbortSignal,
  alive?: () => void,
): Promise<OutboxReadReply> {
  const begun = performance.now();
  for (;;) {
    try {
      const askedAt = performance.now();
      const reply = await rpc.request<OutboxReadReply>(
        outboxReadSubject(owner),
        { after: BEYOND, limit: 1, inbox: true },
        { timeoutMs: HEAD_TIMEOUT_MS },
      );
      // What waits for its position and is younger than this wait was not asked for.
      if (reply.unstamped_ms === null || reply.unstamped_ms < askedAt - begun) return reply;
      if (performance.now() >= deadline) throw new InboxBehind(`${owner} has not given its newest events their positions yet`);
      alive?.();
      await delay(POLL_MS, undefined, { signal: stopping });
    } catch (error) {
      if (!(error instanceof RpcUnavailable || error instanceof RpcTimeout) || performance.now() >= deadline) throw error;
      alive?.();
      await delay(POLL_MS, undefined, { signal: stopping });
    }
  }
}

async function hasHandled(db: Kysely<ReconciliationTables>, consumer: string, epoch: number, head: number): Promise<boolean> {
  if (head === 0) return true;
  const { rows } = await sql<{ reached: boolean }>`
    SELECT (w.epoch, w.position) >= (${epoch}::bigint, ${head}::bigint) AND NOT EXISTS (
      SELECT 1 FROM inbox i
      WHERE i.consumer = w.consumer AND i.generation = w.generation AND i.state IN ('pending', 'dead') AND i.position <= ${head}::bigint
    ) AS reached
    FROM inbox_generations g JOIN inbox_watermarks w ON w.consumer = g.consumer AND w.generation = g.live
    WHERE g.consumer = ${consumer}`.execute(db);
  return rows[0]?.reached ?? false;
}
