import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { type Kysely, sql, type Transaction } from 'kysely';
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
 * Writes the key, the details and the wish for work in one statement, so that acceptance costs one round trip. A key that is there already writes nothing.
 * A lease that another live holder has stays with it; the wish is noted all the same.
 */
export async function claim(tx: Transaction<PaymentsTables>, c: Claim): Promise<Claimed> {
  const details = c.details === null ? null : JSON.stringify(c.details);
  const { rows } = await sql<{ fresh: boolean; held: boolean | null; revision: number | null; refresh: boolean | null }>`
    WITH claimed AS (
      INSERT INTO idempotency_keys (tenant, route, key, request_hash, command_id, payment_id, request_id, created_at)
      VALUES (${c.scope.tenant}, ${c.scope.route}, ${c.scope.key}, ${c.request_hash}, ${c.command_id}, ${c.payment_id}, ${c.request_id}, ${c.now})
      ON CONFLICT DO NOTHING
      RETURNING 1
    ), described AS (
      INSERT INTO request_details (command_id, payment_id, details)
      SELECT ${c.command_id}, ${c.payment_id}, ${details}::jsonb FROM claimed WHERE ${details}::jsonb IS NOT NULL
      ON CONFLICT (command_id) DO NOTHING
    ), wished AS (
      INSERT INTO payment_work AS w (payment_id, holder, lease_until, due_at)
      SELECT ${c.payment_id}, ${c.holder}, clock_timestamp() + interval '5 seconds', ${c.now} FROM claimed WHERE ${c.holder}::text IS NOT NULL
      ON CONFLICT (payment_id) DO UPDATE SET
        due_at = LEAST(w.due_at, excluded.due_at),
        attempt = 0,
        revision = w.revision + 1,
        holder = CASE WHEN w.holder IS NULL THEN excluded.holder ELSE w.holder END,
        lease_until = CASE WHEN w.holder IS NULL THEN excluded.lease_until ELSE w.lease_until END
      RETURNING holder = ${c.holder} AS held, revision, refresh
    )
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
 * A fragment that stores answers: `UPDATE idempotency_keys …`. The ids stand in it twice because a planner that takes a recordset for a hundred rows
 * reads the whole table otherwise.
 */
export function answering(answers: Answers, now: Date) {
  const rows = [...answers].map(([command_id, reply]) => ({
    command_id,
    status: reply.status,
    content_type: reply.content_type,
    body: reply.body,
  }));
  return sql`
    UPDATE idempotency_keys k SET status = a.status, content_type = a.content_type, body = a.body, answered_at = ${now}
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS a(command_id text, status smallint, content_type text, body text)
    WHERE k.command_id = a.command_id AND k.command_id = ANY(${rows.map((row) => row.command_id)}) AND k.status IS NULL`;
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
