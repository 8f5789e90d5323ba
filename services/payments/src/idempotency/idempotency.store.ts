import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import { type PaymentsTables, type RequestDetails } from '../tables.js';
import { type Scope } from './identity.js';

export interface Claim {
  scope: Scope;
  request_hash: string;
  command_id: string;
  payment_id: string;
  request_id: string;
  details: RequestDetails | null;
  /** Clock of decisions. */
  now: Date;
  /** Takes the payment's lease along; null for a claim that comes with its answer. */
  holder: string | null;
}

export interface KnownKey {
  request_hash: string;
  command_id: string;
  payment_id: string;
  request_id: string;
  status: number | null;
  content_type: string | null;
  body: string | null;
  answered_at: Date | null;
}

/** `lease`: whether the payment is ours to work on now, and whether a holder before us vanished with a call possibly out. */
export type Claimed = { fresh: false } | { fresh: true; lease: ClaimedLease | null };

export interface ClaimedLease {
  held: boolean;
  revision: number;
  /** Somebody wished that Stripe be asked, and nobody has yet. */
  refresh: boolean;
}

/**
 * Fragments `claimed`, `described` and `wished`: keys, details and wishes for work of different payments, `only` for some of them. A key that is there already
 * writes nothing. A lease that another live holder has stays with it; the wish is noted all the same.
 */
export function claiming(claims: readonly Claim[], only: RawBuilder<unknown> = sql`true`): RawBuilder<unknown>[] {
  const rows = claims.map(({ scope, ...rest }) => ({ ...scope, ...rest }));
  const asked = sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS c(tenant text, route text, key text, request_hash text, command_id text,
    payment_id text, request_id text, details jsonb, now timestamptz, holder text)`;
  return [
    sql`asked AS (
      SELECT tenant, route, key, request_hash, command_id, payment_id, request_id, details, now, holder FROM ${asked}
    )`,
    sql`claimed AS (
      INSERT INTO idempotency_keys (tenant, route, key, request_hash, command_id, payment_id, request_id, created_at)
      SELECT tenant, route, key, request_hash, command_id, payment_id, request_id, now FROM asked WHERE ${only}
      ON CONFLICT DO NOTHING
      RETURNING payment_id, command_id
    )`,
    sql`described AS (
      INSERT INTO request_details (command_id, payment_id, details)
      SELECT command_id, payment_id, details FROM asked WHERE jsonb_typeof(details) = 'object' AND command_id IN (SELECT command_id FROM claimed)
      ON CONFLICT (command_id) DO NOTHING
    )`,
    sql`wished AS (
      INSERT INTO payment_work AS w (payment_id, tenant, holder, lease_until, due_at, since)
      SELECT payment_id, tenant, holder, clock_timestamp() + interval '5 seconds', now, now
      FROM asked WHERE holder IS NOT NULL AND command_id IN (SELECT command_id FROM claimed)
      ON CONFLICT (payment_id) DO UPDATE SET
        due_at = LEAST(w.due_at, excluded.due_at),
        attempt = 0,
        revision = w.revision + 1,
        holder = CASE WHEN w.holder IS NULL THEN excluded.holder ELSE w.holder END,
        lease_until = CASE WHEN w.holder IS NULL THEN excluded.lease_until ELSE w.lease_until END
      RETURNING payment_id, w.holder = (SELECT a.holder FROM asked a WHERE a.payment_id = w.payment_id) AS held, revision, refresh
    )`,
  ];
}

/** Writes the key, the details and the wish for work in one statement. */
export async function claim(tx: Transaction<PaymentsTables>, c: Claim): Promise<Claimed> {
  const { rows } = await sql<{ fresh: boolean } & { [K in keyof ClaimedLease]: ClaimedLease[K] | null }>`
    WITH ${sql.join(claiming([c]), sql`, `)}
    SELECT EXISTS (SELECT 1 FROM claimed) AS fresh, held, revision, refresh FROM (SELECT) AS one LEFT JOIN wished ON true`.execute(tx);
  const row = rows[0];
  if (!row?.fresh) return { fresh: false };
  return {
    fresh: true,
    lease: row.revision === null ? null : { held: row.held === true, revision: row.revision, refresh: row.refresh === true },
  };
}

export async function findKey(db: Kysely<PaymentsTables>, scope: Scope): Promise<KnownKey | null> {
  const row = await db
    .selectFrom('idempotency_keys')
    .select(['request_hash', 'command_id', 'payment_id', 'request_id', 'status', 'content_type', 'body', 'answered_at'])
    .where('tenant', '=', scope.tenant)
    .where('route', '=', scope.route)
    .where('key', '=', scope.key)
    .executeTakeFirst();
  return row ?? null;
}

/** The certain answers of commands; the first one stays. */
export type Answers = ReadonlyMap<string, HttpReply>;

/**
 * A fragment that stores answers, `only` for some payments: `UPDATE idempotency_keys …`. The ids stand in it twice because a planner that takes a recordset for a hundred rows
 * reads the whole table otherwise.
 */
export function answering(answers: Answers, now: Date, only: RawBuilder<unknown> = sql`true`) {
  const rows = [...answers].map(([command_id, reply]) => ({
    command_id,
    status: reply.status,
    content_type: reply.content_type,
    body: reply.body,
  }));
  return sql`
    UPDATE idempotency_keys k SET status = a.status, content_type = a.content_type, body = a.body, answered_at = ${now}
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS a(command_id text, status smallint, content_type text, body text)
    WHERE k.command_id = a.command_id AND k.command_id = ANY(${rows.map((row) => row.command_id)}) AND k.status IS NULL AND ${only}`;
}

export async function answer(tx: Transaction<PaymentsTables>, answers: Answers, now: Date): Promise<void> {
  if (answers.size > 0) await answering(answers, now).execute(tx);
}

export async function requestIdOf(db: Kysely<PaymentsTables>, commandId: string): Promise<string> {
  const row = await db.selectFrom('idempotency_keys').select('request_id').where('command_id', '=', commandId).executeTakeFirst();
  return row?.request_id ?? commandId;
}

/** The stored answer, byte for byte; null while the outcome is open. `expired`: it was answered, and the bytes are no longer kept. */
export function storedReply(known: KnownKey): HttpReply | 'expired' | null {
  if (known.status === null) return null;
  if (known.body === null || known.content_type === null) return 'expired';
  return { status: known.status, content_type: known.content_type, headers: {}, body: known.body, encoding: 'utf8' };
}

export async function detailsOf(db: Kysely<PaymentsTables>, commandId: string): Promise<RequestDetails> {
  const row = await db.selectFrom('request_details').select('details').where('command_id', '=', commandId).executeTakeFirst();
  return row?.details ?? {};
}
