import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import { type PaymentsTables } from '../tables.js';

type Db = Kysely<PaymentsTables>;

/** Whose loop takes a row: payments, checkouts, customers, commands about subscriptions, looks at subscriptions and invoices; the prefix of the id. */
export type WorkKind = 'pay' | ObjectKind;
export const OBJECT_KINDS = ['cks', 'cst', 'sbc', 'sub', 'in'] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

/** A held lease on one payment, checkout or customer. */
export interface Held {
  payment_id: string;
  holder: string;
  revision: number;
  attempt: number;
  refresh: boolean;
  /** Since when it was due; what is turned away keeps its place by it. */
  due_at: Date;
  /** For which closing of a breaker it was woken, if for one. */
  woken: string | null;
  /** The holder before was gone without releasing: a call of its may be out there. */
  takenOver: boolean;
  /** Not even that a call was begun need be on record. */
  restored?: true;
}

/** What a payment, checkout or customer waits for that no run could finish. */
export const WAITS_FOR = [
  'queued',
  'breaker_open',
  'rate_limited',
  'key_in_use',
  'auth',
  'answer_missing',
  'refund_not_listed',
  'another_look',
  /** Nothing is wrong and no call is due: an open checkout whose window has not ended, an erased customer whose last payment has not. */
  'window',
] as const;
export type WaitsFor = (typeof WAITS_FOR)[number];

/** How a run leaves a payment that needs another one: when to look again, and why. */
export interface Left {
  dueAt: Date;
  attempt: number;
  waitsFor: WaitsFor;
  /** Turned away by a limit: not before this, in its place. */
  notBefore?: Date | undefined;
}

interface WorkRow {
  payment_id: string;
  due_at: Date | null;
  revision: number;
  attempt: number;
  refresh: boolean;
  woken: string | null;
  holder: string;
  previous: string | null;
}

/** Of a payment: whose it is, '' where that was not said. */
export interface HeldPayment extends Held {
  tenant: string;
}

interface TurnRow extends WorkRow {
  tenant: string;
  since: Date;
  /** How many its tenant has in this pass, and which of the tenants that is. */
  places: number;
  nth: number;
}

/** Who holds all work of a database that was restored from a backup (`tidegate restore load` says so): what was open then may have gone on at Stripe. */
export const RESTORED = 'restored';
/** Names of those who take such work begin so, until one of them has released it. */
const OF_RESTORED = `${RESTORED}>`;
/** Of rows by the name `row`: what was done in the time that the restore lost is not known yet. */
export const isOfRestored = (row: string): RawBuilder<boolean> => {
  const holder = sql.ref(`${row}.holder`);
  return sql<boolean>`coalesce(${holder} = ${RESTORED} OR starts_with(${holder}, ${OF_RESTORED}), false)`;
};
const named = (holder: RawBuilder<unknown>) => sql`CASE WHEN ${isOfRestored('old')} THEN ${OF_RESTORED} ELSE '' END || ${holder}`;

/** Whether the holder of a row is a run of this process. */
export const isHeldBy = (instance: string): RawBuilder<boolean> =>
  sql`(starts_with(holder, ${`${instance}#`}) OR starts_with(holder, ${`${OF_RESTORED}${instance}#`}))`;

/**
 * Whether a payment that is queued here may have been sent in the time that a restore lost. Its row of work stays as it is until the end of the transaction, which has the
 * payment's row: everyone locks that first.
 */
export async function mayHaveBeenSent(tx: Transaction<PaymentsTables>, paymentId: string): Promise<boolean> {
  const { rows } = await sql<{ restored: boolean }>`
    SELECT ${isOfRestored('w')} AS restored FROM payment_work w WHERE w.payment_id = ${paymentId} FOR UPDATE`.execute(tx);
  return rows[0]?.restored === true;
}

const LEASE = sql`clock_timestamp() + interval '5 seconds'`;

/** The lease of one payment, if nobody alive holds it and its time has come, or its holder is gone. `now` is the clock of decisions. */
export async function acquire(db: Db, paymentId: string, holder: string, now: Date): Promise<Held | null> {
  const { rows } = await sql<WorkRow>`
    UPDATE payment_work w SET holder = ${named(sql`${holder}::text`)}, lease_until = ${LEASE}
    FROM (SELECT payment_id, holder FROM payment_work WHERE payment_id = ${paymentId} FOR UPDATE SKIP LOCKED) old
    WHERE w.payment_id = old.payment_id
      AND CASE WHEN w.holder IS NULL THEN w.due_at <= ${now} AND coalesce(w.not_before, w.due_at) <= ${now} ELSE w.lease_until < clock_timestamp() END
    RETURNING w.payment_id, w.due_at, w.revision, w.attempt, w.refresh, w.woken, w.holder, old.holder AS previous`.execute(db);
  return rows[0] ? held(rows[0], now) : null;
}

/**
 * Leases of up to `limit` payments whose time has come: of each tenant one before any has two, beginning with the tenant after `last`, and each tenant's in the order of
 * their time. The last of them is of the tenant whose turn was the last. `now` is the clock of decisions.
 */
export async function acquirePayments(db: Db, holder: string, now: Date, limit: number, last = ''): Promise<HeldPayment[]> {
  const { rows } = await takingPayments(holder, now, limit, last).execute(db);
  return rows
    .toSorted((a, b) => a.places - b.places || a.nth - b.nth || Number(a.due_at) - Number(b.due_at) || Number(a.since) - Number(b.since))
    .map((row) => ({ ...held(row, now), tenant: row.tenant }));
}

/**
 * The statement by itself. It goes from tenant to tenant along an index until it knows of as many as there are places, so that neither a long backlog of one nor many
 * tenants cost more; only those of whom nothing is due are passed by, some microseconds each. (Up to PostgreSQL 15 rows are numbered without reading all of the same time
 * only when the frame is one of rows.) What it takes is MATERIALIZED: by a plan that a connection has from a time without work, it was looked for anew beside each row, passing by
 * what it had taken already, until it had taken all there was.
 */
export function takingPayments(holder: string, now: Date, limit: number, last: string): RawBuilder<TurnRow> {
  const open = sql`kind = 'pay' AND due_at IS NOT NULL`;
  const free = sql`kind = 'pay' AND due_at <= ${now} AND coalesce(not_before, due_at) <= ${now} AND (holder IS NULL OR lease_until < clock_timestamp())`;
  return sql`
    WITH RECURSIVE tenants AS (
      SELECT 0 AS nth, ${last}::text AS tenant, false AS wrapped, NULL::timestamptz AS due_at
      UNION ALL
      SELECT t.nth + 1, next.tenant, next.wrapped, next.due_at FROM tenants t CROSS JOIN LATERAL (
        (SELECT tenant, t.wrapped, due_at FROM payment_work
          WHERE ${open} AND tenant > t.tenant AND (NOT t.wrapped OR tenant <= ${last}) ORDER BY tenant, due_at LIMIT 1)
        UNION ALL
        (SELECT tenant, true, due_at FROM payment_work WHERE ${open} AND NOT t.wrapped AND tenant <= ${last} ORDER BY tenant, due_at LIMIT 1)
        LIMIT 1
      ) next
    ), due AS MATERIALIZED (
      SELECT t.nth, t.tenant FROM tenants t
      -- Locked, so that nobody gets a place whose payments somebody else has: with one place left, the tenants behind would wait for him.
      CROSS JOIN LATERAL (SELECT FROM payment_work WHERE ${free} AND tenant = t.tenant ORDER BY due_at, since LIMIT 1 FOR UPDATE SKIP LOCKED) first
      WHERE t.due_at <= ${now} LIMIT ${limit}
    ), shares AS (
      SELECT nth, tenant, count(*)::int AS places FROM (
        SELECT d.nth, d.tenant FROM due d CROSS JOIN LATERAL (
          SELECT row_number() OVER (ORDER BY due_at, since ROWS UNBOUNDED PRECEDING) AS turn FROM payment_work WHERE ${free} AND tenant = d.tenant
          ORDER BY due_at, since LIMIT ${limit} + 1 - (SELECT count(*) FROM due)
        ) waiting
        ORDER BY turn, nth LIMIT ${limit}
      ) in_turn GROUP BY nth, tenant
    ), old AS MATERIALIZED (
      SELECT s.nth, s.places, taken.payment_id, taken.holder FROM shares s CROSS JOIN LATERAL (
        SELECT payment_id, holder FROM payment_work WHERE ${free} AND tenant = s.tenant
        ORDER BY due_at, since LIMIT s.places FOR UPDATE SKIP LOCKED
      ) taken
      -- They are no more than that anyway; a planner knows it only so.
      LIMIT ${limit}
    )
    UPDATE payment_work w SET holder = ${named(sql`${holder}::text || ':' || w.payment_id`)}, lease_until = ${LEASE}
    FROM old
    WHERE w.payment_id = old.payment_id
    RETURNING w.payment_id, w.tenant, w.due_at, w.since, w.revision, w.attempt, w.refresh, w.woken, w.holder, old.holder AS previous, old.places, old.nth`;
}

/** Leases of up to `limit` rows of one kind, other than payments, whose time has come, those that waited longest first. `now` is the clock of decisions. */
export async function acquireDue(db: Db, holder: string, now: Date, limit: number, kind: ObjectKind): Promise<Held[]> {
  const { rows } = await takingDue(holder, now, limit, kind).execute(db);
  return rows.toSorted((a, b) => Number(a.due_at) - Number(b.due_at) || Number(a.since) - Number(b.since)).map((row) => held(row, now));
}

/** The statement by itself, for whoever wants to know how it is carried out; MATERIALIZED as that for payments is. */
export const takingDue = (holder: string, now: Date, limit: number, kind: ObjectKind): RawBuilder<WorkRow & { since: Date }> => sql`
    WITH old AS MATERIALIZED (
      SELECT payment_id, holder FROM payment_work
      WHERE kind <> 'pay' AND kind = ${kind} AND due_at <= ${now} AND coalesce(not_before, due_at) <= ${now} AND (holder IS NULL OR lease_until < clock_timestamp())
      ORDER BY due_at, since LIMIT ${limit} FOR UPDATE SKIP LOCKED
    )
    UPDATE payment_work w SET holder = ${named(sql`${holder}::text || ':' || w.payment_id`)}, lease_until = ${LEASE}
    FROM old
    WHERE w.payment_id = old.payment_id
    RETURNING w.payment_id, w.due_at, w.since, w.revision, w.attempt, w.refresh, w.woken, w.holder, old.holder AS previous`;

/** Keeps leases alive; answers the payments of those that it prolonged. A row that somebody has locked is left for the next time: nobody can take it meanwhile. */
export async function renew(db: Db, leases: readonly { payment_id: string; holder: string }[]): Promise<string[]> {
  if (leases.length === 0) return [];
  const { rows } = await sql<{ payment_id: string }>`
    UPDATE payment_work w SET lease_until = ${LEASE}
    FROM (
      SELECT held.payment_id FROM payment_work held
      JOIN unnest(${leases.map((l) => l.payment_id)}::text[], ${leases.map((l) => l.holder)}::text[]) AS mine(payment_id, holder) USING (payment_id, holder)
      FOR UPDATE OF held SKIP LOCKED
    ) free
    WHERE w.payment_id = free.payment_id
    RETURNING w.payment_id`.execute(db);
  return rows.map((row) => row.payment_id);
}

/**
 * Ends a run. With `left` null the row goes, unless somebody wished for something meanwhile: then the row stays due. Answers whether work is left that is
 * due now. What a breaker turned away may be woken again for a closing that others knew of already.
 */
export async function release(db: Db | Transaction<PaymentsTables>, lease: Held, left: Left | null): Promise<{ more: boolean }> {
  if (left === null) {
    const { numDeletedRows } = await db
      .deleteFrom('payment_work')
      .where('payment_id', '=', lease.payment_id)
      .where('holder', '=', lease.holder)
      .where('revision', '=', lease.revision)
      .executeTakeFirst();
    if (numDeletedRows > 0n) return { more: false };
  }
  const { rows } = await sql<{ more: boolean }>`
    UPDATE payment_work SET holder = NULL, lease_until = NULL,
      due_at = CASE WHEN revision = ${lease.revision} THEN ${left?.dueAt ?? null} ELSE due_at END,
      attempt = CASE WHEN revision = ${lease.revision} THEN ${left?.attempt ?? 0}::int ELSE attempt END,
      waits_for = CASE WHEN revision = ${lease.revision} THEN ${left?.waitsFor ?? null} ELSE waits_for END,
      not_before = CASE WHEN revision = ${lease.revision} THEN ${left?.notBefore ?? null}::timestamptz ELSE not_before END,
      woken = CASE WHEN revision = ${lease.revision} AND ${left?.waitsFor === 'breaker_open'} THEN NULL ELSE woken END,
      refresh = CASE WHEN revision = ${lease.revision} AND ${left === null} THEN false ELSE refresh END
    WHERE payment_id = ${lease.payment_id} AND holder = ${lease.holder}
    RETURNING revision <> ${lease.revision} AS more`.execute(db);
  return { more: rows[0]?.more === true };
}

/** Notes, before a release, whether the next run shall ask Stripe; a wish that came meanwhile stays. */
export async function keepRefresh(db: Db, lease: Held, refresh: boolean): Promise<void> {
  await db
    .updateTable('payment_work')
    .set({ refresh })
    .where('payment_id', '=', lease.payment_id)
    .where('holder', '=', lease.holder)
    .where('revision', '=', lease.revision)
    .execute();
}

/** Wishes that Stripe be asked how a payment stands, at `at`. */
export const wishRefresh = (db: Db | Transaction<PaymentsTables>, paymentId: string, at: Date): Promise<void> =>
  wishRefreshes(db, [paymentId], at);

/** The same of several; their rows are locked in the order of their ids. */
export async function wishRefreshes(db: Db | Transaction<PaymentsTables>, ids: readonly string[], at: Date): Promise<void> {
  if (ids.length === 0) return;
  await wishing(sql`SELECT id FROM unnest(${ids}::text[]) AS wished(id)`, at).execute(db);
}

/** A fragment that wishes so for all that `source` selects, each `id` once: `INSERT INTO payment_work …`. */
export const wishing = (source: RawBuilder<unknown>, at: Date): RawBuilder<unknown> => sql`
  INSERT INTO payment_work AS w (payment_id, tenant, due_at, since, refresh)
  SELECT id, coalesce((SELECT p.tenant FROM payments p WHERE p.id = wished.id), ''), ${at}::timestamptz, ${at}::timestamptz, true
  FROM (${source}) AS wished ORDER BY id
  ON CONFLICT (payment_id) DO UPDATE SET due_at = LEAST(w.due_at, excluded.due_at), not_before = NULL, refresh = true, revision = w.revision + 1`;

/** Someone reads a payment whose answer is missing: look now, at most once in 5 s. Answers whether that was arranged. */
export async function lookSooner(db: Db, paymentId: string, now: Date): Promise<boolean> {
  const { rows } = await sql`
    UPDATE payment_work SET due_at = ${now}, asked_at = ${now}
    WHERE payment_id = ${paymentId} AND due_at > ${now} AND holder IS NULL AND (asked_at IS NULL OR asked_at <= ${now}::timestamptz - interval '5 seconds')
    RETURNING 1`.execute(db);
  return rows.length > 0;
}

/** The same with a wish that Stripe be asked how it stands: of what waits for a time and not for an answer. */
export async function askSooner(db: Db, id: string, now: Date): Promise<boolean> {
  const { rows } = await sql`
    UPDATE payment_work SET due_at = ${now}, asked_at = ${now}, refresh = true, revision = revision + 1
    WHERE payment_id = ${id} AND due_at > ${now} AND (holder IS NULL OR lease_until < clock_timestamp())
      AND (asked_at IS NULL OR asked_at <= ${now}::timestamptz - interval '5 seconds')
    RETURNING 1`.execute(db);
  return rows.length > 0;
}

/** The same of what may not wait for anything at all. */
export async function askNowOrSooner(db: Db, id: string, now: Date): Promise<boolean> {
  const { rows } = await sql`
    INSERT INTO payment_work AS w (payment_id, due_at, since, refresh, asked_at) VALUES (${id}, ${now}, ${now}, true, ${now})
    ON CONFLICT (payment_id) DO UPDATE SET due_at = ${now}, asked_at = ${now}, refresh = true, revision = w.revision + 1
      WHERE w.due_at > ${now} AND w.holder IS NULL AND (w.asked_at IS NULL OR w.asked_at <= ${now}::timestamptz - interval '5 seconds')
    RETURNING 1`.execute(db);
  return rows.length > 0;
}

/** When a row that nobody holds is due; null when somebody has it, or there is none. */
export async function dueAt(db: Db, id: string): Promise<Date | null> {
  const row = await db.selectFrom('payment_work').select(['due_at', 'holder']).where('payment_id', '=', id).executeTakeFirst();
  return row?.holder === null ? row.due_at : null;
}

const held = (row: WorkRow, now: Date): Held => ({
  payment_id: row.payment_id,
  holder: row.holder,
  due_at: row.due_at ?? now,
  revision: row.revision,
  attempt: row.attempt,
  refresh: row.refresh,
  woken: row.woken,
  takenOver: row.previous !== null,
  ...(row.holder.startsWith(OF_RESTORED) ? { restored: true } : {}),
});
