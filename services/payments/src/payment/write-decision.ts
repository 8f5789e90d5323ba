import { type Metadata } from '@tidegate/event-store/event';
import { type OutboxMessage } from '@tidegate/messaging/outbox';
import { type Insertable, sql, type Transaction } from 'kysely';
import { type PaymentsTable, type PaymentsTables } from '../tables.js';
import { type PaymentEvent } from './payment.events.js';

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

const STREAM_VERSION_TAKEN = 'events_stream_version_key';

/**
 * The rows of one decision in one statement, because on the way to an answer every round trip to the database counts three times: the projection's row from
 * the expected version only, then the same rows that `append` and `stage` of the libs write. False when the payment is no longer at that version.
 */
export async function writeDecision(tx: Transaction<PaymentsTables>, rows: DecisionRows): Promise<boolean> {
  const events = rows.events.map((event, index) => ({ version: rows.expected + 1 + index, type: event.type, data: event.data }));
  try {
    const { rows: moved } = await sql`
      WITH moved AS (${rows.expected === 0 ? inserted(rows.row) : updated(rows.row, rows.expected)}),
      appended AS (
        INSERT INTO events (stream, version, type, type_version, data, metadata, occurred_at)
        SELECT ${rows.stream}, e.version, e.type, 1, e.data, ${JSON.stringify(rows.metadata)}::jsonb, ${rows.now}::timestamptz
        FROM moved, jsonb_to_recordset(${JSON.stringify(events)}::jsonb) AS e(version int, type text, data jsonb)
        ORDER BY e.version
      ), staged AS (
        INSERT INTO outbox (message_id, aggregate, subject, bytes)
        SELECT m.message_id, m.aggregate, m.subject, convert_to(m.body, 'UTF8')
        FROM moved, unnest(
          ${rows.messages.map((m) => m.envelope.id)}::uuid[], ${rows.messages.map((m) => m.aggregate)}::text[],
          ${rows.messages.map((m) => m.subject)}::text[], ${rows.messages.map((m) => JSON.stringify(m.envelope))}::text[]
        ) WITH ORDINALITY AS m(message_id, aggregate, subject, body, n)
        ORDER BY m.n
      )
      SELECT 1 FROM moved`.execute(tx);
    return moved.length > 0;
  } catch (error) {
    // Somebody appended without moving the row: decide again from what is there.
    if ((error as { constraint?: unknown }).constraint === STREAM_VERSION_TAKEN) return false;
    throw error;
  }
}

function inserted(row: Insertable<PaymentsTable>) {
  return sql`
    INSERT INTO payments (id, tenant, version, status, amount, amount_captured, amount_refunded, currency, capture_method, stripe_payment_intent,
      stripe_charge, customer, card, failure, refunds, metadata, origin, livemode, created_at, updated_at)
    VALUES (${row.id}, ${row.tenant}, ${row.version}, ${row.status}, ${row.amount}, ${row.amount_captured}, ${row.amount_refunded}, ${row.currency},
      ${row.capture_method}, ${row.stripe_payment_intent}, ${row.stripe_charge}, ${row.customer}, ${row.card}, ${row.failure}, ${row.refunds},
      ${row.metadata}, ${row.origin}, ${row.livemode}, ${row.created_at}, ${row.updated_at})
    ON CONFLICT (id) DO NOTHING RETURNING 1`;
}

/** Only what can change. */
function updated(row: Insertable<PaymentsTable>, expected: number) {
  return sql`
    UPDATE payments SET version = ${row.version}, status = ${row.status}, amount = ${row.amount}, amount_captured = ${row.amount_captured}, amount_refunded = ${row.amount_refunded},
      stripe_payment_intent = ${row.stripe_payment_intent}, stripe_charge = ${row.stripe_charge}, card = ${row.card}, failure = ${row.failure},
      refunds = ${row.refunds}, updated_at = ${row.updated_at}
    WHERE id = ${row.id} AND version = ${expected} RETURNING 1`;
}
