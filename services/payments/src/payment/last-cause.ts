import { type Kysely, sql } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { type Cause } from './run.js';

/** Who set a payment or a checkout in motion last, so that what a loop does for it belongs to the same story and trace. */
export async function lastCause(
  db: Kysely<PaymentsTables>,
  stream: string,
  actor: string,
): Promise<{ cause: Cause; traceparent: string | null }> {
  const { rows } = await sql<{ metadata: { correlation_id?: string; traceparent?: string | null } }>`
    SELECT metadata FROM events WHERE stream = ${stream} ORDER BY version DESC LIMIT 1`.execute(db);
  const metadata = rows[0]?.metadata;
  const cause = { correlation_id: metadata?.correlation_id ?? stream, causation_id: null, actor };
  return { cause, traceparent: metadata?.traceparent ?? null };
}
