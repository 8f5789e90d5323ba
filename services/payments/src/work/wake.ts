import { setTimeout as delay } from 'node:timers/promises';
import { isBreakerName } from '@tidegate/stripe-gateway/breaker-names';
import { type Fleet } from '@tidegate/stripe-gateway/fleet/fleet';
import { type FleetChange } from '@tidegate/stripe-gateway/fleet/follower';
import { type Kysely, sql } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { type Held, isHeldBy } from './work.store.js';

/** Rows per statement, so that no statement holds many rows for long. */
const BATCH = 500;

/** Rows that somebody has locked for an instant are tried again this often, after this long. */
const ROUNDS = 20;
const ROUND_MS = 50;

/** What waits for Stripe, or is in hand, and was not made due for this closing of a breaker. */
const waiting = (closing: string) =>
  sql`(due_at IS NOT NULL OR holder IS NOT NULL) AND woken IS DISTINCT FROM ${closing} AND waits_for IS DISTINCT FROM 'window'`;

/** Names this closing of a breaker for the whole fleet. */
export const closingOf = ({ breaker, version }: Pick<FleetChange, 'breaker' | 'version'>): string => `${breaker}:${version}`;

/** A process that had not heard of the closing for which something was woken would turn it away once more: it reads the breakers first. */
export async function hearOf(due: readonly Held[], fleet: Pick<Fleet, 'version' | 'refresh'>): Promise<void> {
  const isNews = ({ woken }: Held) => {
    const [breaker = '', version] = woken?.split(':') ?? [];
    return isBreakerName(breaker) && fleet.version(breaker) < Number(version);
  };
  if (due.some(isNews)) await fleet.refresh();
}

/**
 * Stripe answers again: what waits for it is due, in the order of acceptance; what was due already, too, or it would overtake them, and what somebody has in hand,
 * who may be turning it away: its run ends as it does. Every process calls this when it learns of the closing, and each payment is woken once, or again if a
 * process that had not learnt of it yet turned it away meanwhile. Only due times move; the loops and the limiter decide how fast they run. Answers how many were
 * woken here.
 */
export async function wakeAll(db: Kysely<PaymentsTables>, closing: string, now: Date): Promise<number> {
  let woken = 0;
  for (let round = 0; ;) {
    const result = await sql`
      UPDATE payment_work w SET due_at = least(since, ${now}), not_before = NULL, woken = ${closing}, revision = revision + (holder IS NOT NULL)::int
      FROM (SELECT payment_id FROM payment_work WHERE ${waiting(closing)} ORDER BY since LIMIT ${BATCH} FOR UPDATE SKIP LOCKED) waiting
      WHERE w.payment_id = waiting.payment_id`.execute(db);
    const count = Number(result.numAffectedRows ?? 0n);
    woken += count;
    if (count === BATCH) continue;
    const { rows } = await sql`SELECT FROM payment_work WHERE ${waiting(closing)} LIMIT 1`.execute(db);
    if (rows.length === 0 || (round += 1) >= ROUNDS) return woken;
    await delay(ROUND_MS);
  }
}

/**
 * The same for what this process took after others had woken it: a breaker may have turned it away an instant before the process learnt that it is closed. One row
 * per statement, so that none waits for another.
 */
export async function wakeHeld(db: Kysely<PaymentsTables>, instance: string, now: Date): Promise<void> {
  const mine = isHeldBy(instance);
  const { rows } = await sql<{ payment_id: string }>`SELECT payment_id FROM payment_work WHERE ${mine}`.execute(db);
  for (const { payment_id } of rows)
    await sql`
      UPDATE payment_work SET due_at = least(since, ${now}), not_before = NULL, revision = revision + 1 WHERE payment_id = ${payment_id} AND ${mine}`.execute(
      db,
    );
}

/** Makes one waiting payment due now, the one that waited longest, those first that a breaker turned away; answers whether there was any. */
export async function wakeOne(db: Kysely<PaymentsTables>, now: Date): Promise<boolean> {
  const { rows } = await sql`
    WITH waiting AS MATERIALIZED (
      SELECT payment_id FROM payment_work WHERE due_at > ${now} AND holder IS NULL AND waits_for IS DISTINCT FROM 'window'
      ORDER BY waits_for IS DISTINCT FROM 'breaker_open', since LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE payment_work w SET due_at = ${now}, not_before = NULL
    FROM waiting
    WHERE w.payment_id = waiting.payment_id
    RETURNING 1`.execute(db);
  return rows.length > 0;
}
