import { type Metadata } from '@tidegate/event-store/event';
import { bodyOf, type OutboxMessage } from '@tidegate/messaging/outbox';
import { type Insertable, type Kysely, type RawBuilder, sql } from 'kysely';
import { type Answers, answering, type Claim, type ClaimedLease, claiming } from '../idempotency/idempotency.store.js';
import { type BesideRow, splitAll } from '../event-details/event-details.store.js';
import { type PaymentsTable, type PaymentsTables } from '../tables.js';
import { type Held, wishing } from '../work/work.store.js';
import { type PaymentEvent } from './payment.events.js';

/** The rows of one decision about one payment. */
export interface DecisionRows {
  stream: string;
  /** Version of the stream that the decision was made from; 0 for a new payment. */
  expected: number;
  row: Insertable<PaymentsTable>;
  events: readonly PaymentEvent[];
  metadata: Metadata;
  now: Date;
  messages: readonly OutboxMessage[];
}

/** What is written with a decision, in the same statement. */
export interface Along {
  /** Only for a new payment. */
  claim?: Claim;
  answers?: Answers;
  /** The lease of a run that leaves nothing to do. */
  ended?: Held;
}

/** `gone`: the row of work went with it, because nobody wished for anything meanwhile. */
export interface Written {
  lease: ClaimedLease | null;
  gone: boolean;
}

const STREAM_VERSION_TAKEN = 'events_stream_version_key';

interface Found {
  written: string[];
  leases: ({ payment_id: string } & ClaimedLease)[] | null;
  gone: string[] | null;
}

/**
 * The rows of decisions about different payments in one statement, because on the way to an answer every round trip to the database counts three times:
 * each projection's row from its expected version only, then the same rows that `append` and `stage` of the libs write. Answers in the same order, null where
 * the payment is no longer at its expected version: of that decision nothing is written. A parameter per kind of row, whatever the number of
 * decisions, so that the statement is planned once.
 */
export async function writeDecisions(
  db: Kysely<PaymentsTables>,
  decisions: readonly (DecisionRows & Along)[],
): Promise<(Written | null)[]> {
  const claims = decisions.flatMap(({ claim }) => claim ?? []);
  const answers: Answers = new Map(decisions.flatMap((one) => [...(one.answers ?? [])]));
  const ended = decisions.flatMap((one) => one.ended ?? []);
  const nothing = sql`NULL`;
  const parts = [
    ...writing(decisions),
    ...(claims.length > 0 ? claiming(claims, IS_WRITTEN) : []),
    ...(answers.size > 0 ? [sql`answered AS (${answering(answers, decisions[0]!.now, IS_WRITTEN)})`] : []),
    ...(ended.length > 0 ? [sql`gone AS (${ending(ended)})`] : []),
    ...lookingAtCheckouts(decisions),
  ];
  try {
    const { rows } = await sql<Found>`
      WITH ${sql.join(parts, sql`, `)}
      SELECT
        ARRAY(SELECT id FROM written) AS written,
        ${claims.length > 0 ? sql`(SELECT json_agg(wished) FROM wished)` : nothing} AS leases,
        ${ended.length > 0 ? sql`ARRAY(SELECT payment_id FROM gone)` : nothing} AS gone,
        ${claims.length > 0 ? EACH_HAS_ITS_KEY : nothing} AS checked`.execute(db);
    return decisions.map((one) => outcomeOf(one, rows[0]!));
  } catch (error) {
    // Somebody appended without moving the row: decide again from what is there. Of several it does not say which, so each must be written by itself.
    if (decisions.length === 1 && (error as { constraint?: unknown }).constraint === STREAM_VERSION_TAKEN) return [null];
    throw error;
  }
}

const IS_WRITTEN = sql`payment_id IN (SELECT id FROM written)`;

/** A new payment and its key have one id, so a key without its payment is damage: nothing is written. */
const EACH_HAS_ITS_KEY = sql`CASE WHEN EXISTS (SELECT 1 FROM asked WHERE ${IS_WRITTEN} AND payment_id NOT IN (SELECT payment_id FROM claimed))
  THEN refuse('an idempotency key is there without its payment') END`;

function outcomeOf({ row, claim, ended }: DecisionRows & Along, found: Found): Written | null {
  if (!found.written.includes(row.id)) return null;
  const lease = claim && found.leases?.find((one) => one.payment_id === row.id);
  return {
    lease: lease ? { held: lease.held, revision: lease.revision, refresh: lease.refresh } : null,
    gone: ended !== undefined && found.gone?.includes(row.id) === true,
  };
}

const COLUMNS = sql`id text, tenant text, version int, status text, amount bigint, amount_captured bigint, amount_refunded bigint, currency text,
  capture_method text, stripe_payment_intent text, stripe_charge text, customer text, card text, failure text, cancellation_reason text, refunds text,
  disputes text, metadata text, origin text, livemode boolean, created_at timestamptz, updated_at timestamptz, status_since timestamptz, expected int`;

/** `born`, `moved`, `written`, `appended`, `beside` and `staged`. Rows are written in the order of their ids, so that two processes with the same ones do not lock each other out. */
function writing(decisions: readonly DecisionRows[]): RawBuilder<unknown>[] {
  const rows = decisions.map(({ row, expected }) => ({ ...row, expected })).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const [born, moved] = [rows.filter((row) => row.expected === 0), rows.filter((row) => row.expected > 0)];
  const sources = [...(born.length > 0 ? ['born'] : []), ...(moved.length > 0 ? ['moved'] : [])];
  return [
    ...(born.length > 0 ? [sql`born AS (${inserted(born)})`] : []),
    ...(moved.length > 0 ? [sql`moved AS (${updated(moved)})`] : []),
    sql`written AS (${sql.join(
      sources.map((source) => sql`SELECT id FROM ${sql.table(source)}`),
      sql` UNION ALL `,
    )})`,
    ...appending(decisions),
    sql`staged AS (${staged(decisions)})`,
  ];
}

const recordset = (rows: readonly object[], columns: RawBuilder<unknown>) =>
  sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r(${columns})`;

function inserted(rows: readonly object[]) {
  return sql`
    INSERT INTO payments (id, tenant, version, status, amount, amount_captured, amount_refunded, currency, capture_method, stripe_payment_intent,
      stripe_charge, customer, card, failure, cancellation_reason, refunds, disputes, metadata, origin, livemode, created_at, updated_at, status_since)
    SELECT id, tenant, version, status, amount, amount_captured, amount_refunded, currency, capture_method, stripe_payment_intent,
      stripe_charge, customer, card::jsonb, failure::jsonb, cancellation_reason, refunds::jsonb, disputes::jsonb, metadata::jsonb, origin, livemode,
      created_at, updated_at, status_since
    FROM ${recordset(rows, COLUMNS)}
    ON CONFLICT (id) DO NOTHING RETURNING id`;
}

/**
 * Only what can change. The ids stand in it twice because a planner that takes a recordset for a hundred rows reads the whole table otherwise. Several are locked in the order of
 * their ids first, as whoever joins Stripe's news into several does: the update itself takes them as they lie in the table.
 */
function updated(rows: readonly { id: string }[]) {
  const ids = rows.map((row) => row.id);
  const locked = sql`ARRAY(SELECT id FROM payments WHERE id = ANY(${ids}) ORDER BY id FOR UPDATE)`;
  return sql`
    UPDATE payments p SET version = r.version, status = r.status, amount = r.amount, amount_captured = r.amount_captured,
      amount_refunded = r.amount_refunded, currency = r.currency, stripe_payment_intent = r.stripe_payment_intent, stripe_charge = r.stripe_charge, card = r.card::jsonb,
      failure = r.failure::jsonb, cancellation_reason = r.cancellation_reason, refunds = r.refunds::jsonb, disputes = r.disputes::jsonb,
      updated_at = r.updated_at, status_since = r.status_since
    FROM ${recordset(rows, COLUMNS)}
    WHERE p.id = r.id AND p.id = ANY(${rows.length > 1 ? locked : sql`${ids}`}) AND p.version = r.expected RETURNING p.id`;
}

/** `appended`, and `beside` for what does not stand in the stream. */
function appending(decisions: readonly DecisionRows[]): RawBuilder<unknown>[] {
  const written = decisions.map((decision) => {
    const { row, stream, expected, events } = decision;
    return { ...decision, ...splitAll(events, { id: row.id, stream, version: expected + 1 }) };
  });
  const beside = written.flatMap((one) => one.beside);
  return [sql`appended AS (${appended(written)})`, ...(beside.length > 0 ? [sql`beside AS (${detailed(beside)})`] : [])];
}

function appended(decisions: readonly (DecisionRows & { kept: readonly PaymentEvent[] })[]) {
  const rows = decisions.flatMap(({ row, stream, expected, kept, metadata, now }) =>
    kept.map((event, index) => ({
      payment_id: row.id,
      stream,
      version: expected + 1 + index,
      type: event.type,
      data: event.data,
      metadata,
      occurred_at: now,
    })),
  );
  return sql`
    INSERT INTO events (stream, version, type, type_version, data, metadata, occurred_at)
    SELECT r.stream, r.version, r.type, 1, r.data, r.metadata, r.occurred_at
    FROM ${recordset(rows, sql`payment_id text, stream text, version int, type text, data jsonb, metadata jsonb, occurred_at timestamptz`)}
    WHERE ${IS_WRITTEN}
    ORDER BY r.stream, r.version`;
}

function detailed(rows: readonly BesideRow[]) {
  return sql`
    INSERT INTO request_details (command_id, payment_id, details)
    SELECT command_id, payment_id, details FROM ${recordset(rows, sql`command_id text, payment_id text, details jsonb`)} WHERE ${IS_WRITTEN}
    ON CONFLICT DO NOTHING`;
}

function staged(decisions: readonly DecisionRows[]) {
  const rows = decisions.flatMap(({ row, messages }) => messages.map((message) => ({ payment_id: row.id, ...message })));
  return sql`
    INSERT INTO outbox (message_id, aggregate, subject, bytes)
    SELECT m.message_id, m.aggregate, m.subject, convert_to(m.body, 'UTF8')
    FROM unnest(
      ${rows.map((m) => m.payment_id)}::text[], ${rows.map((m) => m.envelope.id)}::uuid[], ${rows.map((m) => m.aggregate)}::text[],
      ${rows.map((m) => m.subject)}::text[], ${rows.map(bodyOf)}::text[]
    ) WITH ORDINALITY AS m(payment_id, message_id, aggregate, subject, body, n)
    WHERE ${IS_WRITTEN}
    ORDER BY m.n`;
}

/** What was given back of a late success and has come back is given back again: its checkout does that, and only then. */
function lookingAtCheckouts(decisions: readonly DecisionRows[]): RawBuilder<unknown>[] {
  const ids = decisions.filter(({ row, events }) => row.origin === 'checkout' && events.some(failsRefund)).map(({ row }) => row.id);
  if (ids.length === 0) return [];
  const checkouts = sql`SELECT id FROM checkouts WHERE late_success IN ('refunding', 'refunded') AND payment_id = ANY(${ids}) AND ${IS_WRITTEN}`;
  return [sql`looked AS (${wishing(checkouts, decisions[0]!.now)})`];
}

const failsRefund = (event: PaymentEvent): boolean =>
  event.type === 'RefundRejected' ||
  event.type === 'RefundNotExecuted' ||
  (event.type === 'RefundRecorded' && event.data.status === 'failed');

/** Drops the rows of work of ended runs, unless something was wished for meanwhile. */
function ending(leases: readonly Held[]) {
  return sql`
    DELETE FROM payment_work w
    USING unnest(${leases.map((l) => l.payment_id)}::text[], ${leases.map((l) => l.holder)}::text[], ${leases.map((l) => l.revision)}::int[])
      AS mine(payment_id, holder, revision)
    WHERE w.payment_id = mine.payment_id AND w.holder = mine.holder AND w.revision = mine.revision
      AND w.payment_id IN (SELECT id FROM written)
    RETURNING w.payment_id`;
}
