import { type Kysely, sql, type Transaction } from 'kysely';
import type { ReconciliationTables } from '../tables.js';
import { pendingFees } from './pending.query.js';

type Db = Kysely<ReconciliationTables>;
type Tx = Transaction<ReconciliationTables>;

/** One reading of the list of balance transactions, newest first: of those made from `from` (null: ever) to `to`, and so far as to `after`. */
export interface Pass {
  from: Date | null;
  to: Date;
  after: string | null;
}

/** Another leader reads the list now. */
export class SweepTakenOver extends Error {
  override name = 'SweepTakenOver';
}

/** A list may lag behind, and Stripe's clock is not ours: what was made shortly before the end of the last pass is read again. */
const OVERLAP_SECONDS = 3600;

/** How far back is read once more what a clock that was wrong has noted as read; the daily runs name what is older. */
const REREAD_DAYS = 30;

/** Puts back what is noted as read, or to be read, up to a time further ahead of `to` than passes overlap: nobody knows how far the list has really been read. Answers whether. */
export async function rewindAhead(db: Db, to: Date): Promise<boolean> {
  const { numAffectedRows } = await sql`
    UPDATE balance_sweep SET pass_to = NULL, pass_after = NULL,
      read_to = CASE WHEN read_to IS NOT NULL THEN least(read_to, ${to}::timestamptz - make_interval(days => ${REREAD_DAYS})) END
    WHERE greatest(read_to, pass_to) > ${to}::timestamptz + make_interval(secs => ${OVERLAP_SECONDS})`.execute(db);
  return numAffectedRows === 1n;
}

/** The pass that was begun and not ended, by whichever process, else a new one up to `to`. */
export async function openPass(db: Db, to: Date): Promise<Pass> {
  const { rows } = await sql<Pass>`
    UPDATE balance_sweep SET pass_to = coalesce(pass_to, ${to}::timestamptz)
    RETURNING read_to - make_interval(secs => ${OVERLAP_SECONDS}) AS "from", pass_to AS "to", pass_after AS "after"`.execute(db);
  return rows[0]!;
}

/** In the transaction that records a page. */
export async function movePass(tx: Tx, pass: Pass, after: string): Promise<void> {
  const { numAffectedRows } = await sql`
    UPDATE balance_sweep SET pass_after = ${after} WHERE pass_to = ${pass.to} AND pass_after IS NOT DISTINCT FROM ${pass.after}`.execute(
    tx,
  );
  if (numAffectedRows !== 1n) throw new SweepTakenOver('Another leader has read this page');
}

/** Every page of the pass was read. */
export async function endPass(db: Db, pass: Pass): Promise<void> {
  const { numAffectedRows } = await sql`
    UPDATE balance_sweep SET read_to = pass_to, pass_to = NULL, pass_after = NULL
    WHERE pass_to = ${pass.to} AND pass_after IS NOT DISTINCT FROM ${pass.after}`.execute(db);
  if (numAffectedRows !== 1n) throw new SweepTakenOver('Another leader has ended this pass');
}

/** Counts the sales that Stripe has not settled, as of a pass that has ended. */
export async function countPending(db: Db, { to }: Pass): Promise<{ pending: number }> {
  const { pending, since } = await pendingFees(db, { tenant: null, before: to });
  await sql`UPDATE balance_sweep SET fees_pending = ${pending}, fees_pending_since = ${since} WHERE read_to = ${to}`.execute(db);
  return { pending };
}
