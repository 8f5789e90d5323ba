import { type Handler, type Incoming } from '@tidegate/messaging/incoming';
import { type Transaction } from 'kysely';
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
    const values = messages.flatMap(({ subject, envelope }) => {
      const { receipt_id, payment_id, kind } = envelope.data as ReceiptFact;
      return subject.startsWith('receipts.events.receipt.') && receipt_id && payment_id
        ? [{ payment_id, receipt_id, kind: kind ?? 'receipt' }]
        : [];
    });
    if (values.length === 0) return;
    await tx
      .insertInto('payment_receipts')
      .values(values)
      .onConflict((c) => c.doNothing())
      .execute();
  }
}
