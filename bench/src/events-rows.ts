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
 * Inserts events that were processed long ago, in the order of nothing: half of them name one of a thousand tenants. Payloads are cut out of
 * noise, so that they take the room that they say.
 */
export async function fill(client: pg.Client, { from, to, payloadBytes }: Fill, say: (line: string) => void): Promise<void> {
  await client.query(`SET synchronous_commit = off`);
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
       FROM (SELECT n, now() - ((n::bigint * 7919) % (${DAYS} * 86400)) * interval '1 second' AS made FROM generate_series($1::int, $2::int - 1) AS n) AS numbered`,
      [at, end, noise, payloadBytes],
    );
    say(`${end} rows, ${Math.round((end - from) / ((performance.now() - startedAt) / 1000))}/s`);
  }
  await client.query('VACUUM (ANALYZE) webhooks.stripe_events');
}
