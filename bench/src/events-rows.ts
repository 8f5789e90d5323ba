import { randomBytes } from 'node:crypto';
import type pg from 'pg';

/** How the rows of a benchmark are spread: by month, tenant, type and outcome as an account of some years has them. */
export interface Fill {
  /** Rows with these numbers are made. */
  from: number;
  to: number;
  payloadBytes: number;
}

/** Events are spread evenly over so many months up to now. */
export const MONTHS = 4;
export const TENANTS = 1000;
/** One event of so many has failed; one of so many is about a dispute. */
const FAILED_ONE_IN = 1000;
const DISPUTED_ONE_IN = 10_000;
const DAYS = 30 * MONTHS - 15;
const CHUNK = 200_000;
const NOISE_BYTES = 1_000_000;

export const idOf = (n: number): string => `evt_bench${String(n).padStart(12, '0')}`;
export const tenantOf = (n: number): string => `tenant_${n % TENANTS}`;

/** Makes the months that the rows go into. */
export async function makeMonths(client: pg.Client): Promise<void> {
  for (let back = 0; back <= MONTHS; back += 1)
    await client.query(`SELECT webhooks.ensure_stripe_events_partition((date_trunc('month', now()) - make_interval(months => $1))::date)`, [
      back,
    ]);
}

/**
 * Inserts events that were processed long ago, in the order in which they were created: half of them name one of a thousand tenants. Payloads are cut out of
 * noise, so that they take the room that they say. Indexes are made after the rows: with them the rows of ten million become ten times as slow as the first.
 */
export async function fill(client: pg.Client, { from, to, payloadBytes }: Fill, say: (line: string) => void): Promise<void> {
  await client.query(`SET synchronous_commit = off`);
  await client.query(`SET maintenance_work_mem = '512MB'`);
  const remake = await dropIndexes(client);
  const [noise, startedAt] = [randomBytes(NOISE_BYTES), performance.now()];
  for (let at = from; at < to; at += CHUNK) {
    const end = Math.min(to, at + CHUNK);
    await client.query(
      `INSERT INTO webhooks.stripe_events
         (stripe_event_id, created, event_type, object_id, tenant_hint, livemode, api_version, payload, source, received_at, published_at, processing_outcome, processing_error, attempts, processed_at, message_id)
       SELECT 'evt_bench' || lpad(n::text, 12, '0'), made, CASE WHEN n % ${DISPUTED_ONE_IN} = 7 THEN 'charge.dispute.created' ELSE (ARRAY['payment_intent.created','payment_intent.succeeded','charge.succeeded','charge.updated'])[1 + n % 4] END,
         'pi_bench' || (n / 4), CASE WHEN n % 2 = 0 THEN 'tenant_' || ((n / 2) % ${TENANTS}) END, false, '2026-10-28.endive',
         substring($3::bytea FROM 1 + (n::bigint * 977 % ${NOISE_BYTES - 10_000})::int FOR $4), 'webhook', made, made,
         CASE WHEN n % ${FAILED_ONE_IN} = 3 THEN 'failed' ELSE 'processed' END, CASE WHEN n % ${FAILED_ONE_IN} = 3 THEN 'payments-stripe-events: a bug' END, 1, made, gen_random_uuid()
       FROM (SELECT n, now() - make_interval(days => ${DAYS}) * (1 - (n - $5::int)::float8 / ($6::int - $5::int)) AS made FROM generate_series($1::int, $2::int - 1) AS n) AS numbered`,
      [at, end, noise, payloadBytes, from, to],
    );
    say(`${end} rows, ${Math.round((end - from) / ((performance.now() - startedAt) / 1000))}/s`);
  }
  for (const index of remake) {
    await client.query(index.definition);
    say(`index ${index.name}, ${Math.round((performance.now() - startedAt) / 1000)} s`);
  }
  await client.query('VACUUM (ANALYZE) webhooks.stripe_events');
}

/** Drops those indexes that hold every row and that no constraint needs (the partial ones are nearly empty, and the service looks for work by them); how to make them again. */
async function dropIndexes(client: pg.Client): Promise<{ name: string; definition: string }[]> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
     WHERE i.indrelid = 'webhooks.stripe_events'::regclass AND NOT i.indisprimary AND i.indpred IS NULL`,
  );
  for (const { name } of rows) await client.query(`DROP INDEX webhooks.${name}`);
  // A table with partitions has its indexes by "ON ONLY", which would leave the partitions without.
  return rows.map(({ name, definition }) => ({ name, definition: definition.replace(' ON ONLY ', ' ON ') }));
}
