import { readNext } from '@tidegate/event-store/read-next';
import type { OwnEvents, Projection, Tx, Unaccounted } from '@tidegate/messaging/replay/projection';
import { sql, type Transaction } from 'kysely';
import { ERASED, erasePayer } from '../payer/payer-erasure.js';
import type { Tables } from '../tables.js';
import { receiptStream } from './receipt.events.js';
import { project } from './project-receipt.js';
import { PAYMENTS_CONSUMER } from './receipt.store.js';
import { isTold, paymentIn, REFUND_UPDATED, SUCCEEDED } from './receipts-payments.consumer.js';
import { keepStanding } from './standing.js';

/** Makes the tables that were dropped, empty, with the rights of the schema's owner. */
export const CREATE_TABLES = sql`SELECT create_derived_tables()`;

const PAGE = 500;

/** Numbers come from the events, so they are the same however often this runs. */
const ownEvents: OwnEvents = {
  async page(tx, before, touched) {
    const among = touched ? sql`stream IN (SELECT ${receiptStream('')} || aggregate FROM ${touched} AS t)` : undefined;
    const { events, cursor, read } = await readNext(tx, before, PAGE, among);
    for (const event of events) await project(tx as Transaction<Tables>, event);
    return { cursor, read };
  },
};

/**
 * `receipts` follows from the receipts' own events, `standings` from those of payments. The events of payments are replayed to see that each payment that succeeded has its receipt: one that
 * has none goes to the live consumer again, which issues it, and so does a refund without its credit note. Who was erased is erased again, also while nothing is to be changed otherwise: what a restored
 * database knows of that person again must go in any case.
 */
export const receiptsProjection: Projection = {
  sources: [
    {
      durable: PAYMENTS_CONSUMER,
      stream: 'PAYMENTS_EVENTS',
      handler: {
        async handle(tx, message) {
          if (message.subject === ERASED) return erasePayer(tx, message);
          if (isTold(message.subject))
            await keepStanding(tx as Transaction<Tables>, paymentIn(message.envelope), message.envelope.aggregate.version);
        },
      },
    },
  ],
  tables: ['receipts', 'standings'],
  own: ownEvents,
  unaccounted: withoutReceipt,
  create: CREATE_TABLES,
};

/** Payments that succeeded without a receipt, and refunds that succeeded without a credit note, as the last message of the payment tells them: a refund that failed since has none. */
async function withoutReceipt(tx: Tx, { consumer, generation }: { consumer: string; generation: number }): Promise<Unaccounted[]> {
  const { rows } = await sql<{ message_id: string; payment_id: string }>`
    WITH latest AS (
      SELECT DISTINCT ON (aggregate) message_id, aggregate, subject, bytes FROM inbox
      WHERE consumer = ${consumer} AND generation = ${generation} AND state = 'done' AND subject IN (${SUCCEEDED}, ${REFUND_UPDATED})
      ORDER BY aggregate, epoch DESC, position DESC
    )
    SELECT message_id, aggregate AS payment_id FROM latest AS l
    WHERE NOT EXISTS (SELECT 1 FROM events AS e WHERE e.stream = ${receiptStream('')} || l.aggregate)
      OR (l.subject = ${REFUND_UPDATED} AND EXISTS (
        SELECT 1 FROM jsonb_array_elements(convert_from(l.bytes, 'UTF8')::jsonb #> '{data,refunds}') AS refund
        WHERE refund ->> 'status' = 'succeeded'
          AND NOT EXISTS (SELECT 1 FROM events AS e WHERE e.stream = ${receiptStream('')} || l.aggregate AND e.data #>> '{refund,id}' = refund ->> 'id')))`.execute(
    tx,
  );
  return rows.map(({ message_id, payment_id }) => ({ messageId: message_id, table: 'receipts', key: { payment_id } }));
}
