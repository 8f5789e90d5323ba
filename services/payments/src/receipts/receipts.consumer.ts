import { type Handler, type Incoming } from '@tidegate/messaging/incoming';
import { sql, type Transaction } from 'kysely';
import { type PaymentsTables } from '../tables.js';

interface ReceiptFact {
  receipt_id?: string;
  payment_id?: string;
  kind?: string;
}

/** Remembers which receipt belongs to which payment. A pure projector. */
export class ReceiptsConsumer implements Handler {
  readonly projector = true;

  async handle(tx: Transaction<PaymentsTables>, message: Incoming): Promise<void> {
    await this.handleAll(tx, [message]);
  }

  async handleAll(tx: Transaction<PaymentsTables>, messages: readonly Incoming[]): Promise<void> {
    const facts = messages.flatMap(({ subject, envelope }) => {
      const { receipt_id, payment_id, kind } = envelope.data as ReceiptFact;
      return subject.startsWith('receipts.events.receipt.') && receipt_id && payment_id ? [{ receipt_id, payment_id, kind }] : [];
    });
    if (facts.length === 0) return;
    await sql`
      INSERT INTO payment_receipts (payment_id, receipt_id, kind)
      SELECT * FROM unnest(
        ${facts.map((fact) => fact.payment_id)}::text[], ${facts.map((fact) => fact.receipt_id)}::text[], ${facts.map(({ kind }) => kind ?? 'receipt')}::text[])
      ON CONFLICT DO NOTHING`.execute(tx);
  }
}
