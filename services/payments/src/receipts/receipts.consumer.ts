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
    const { receipt_id, payment_id, kind } = message.envelope.data as ReceiptFact;
    if (!message.subject.startsWith('receipts.events.receipt.') || !receipt_id || !payment_id) return;
    await tx
      .insertInto('payment_receipts')
      .values({ payment_id, receipt_id, kind: kind ?? 'receipt' })
      .onConflict((c) => c.doNothing())
      .execute();
  }
}
