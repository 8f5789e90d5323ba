import { ReceiptIssued, receiptIssued } from '@tidegate/contracts/events/receipt';
import { type Handler, PermanentFailure } from '@tidegate/messaging/subscriber';
import { recordReceipt } from './recorded.store.js';

/** Projects which receipts were issued; that they were rendered is none of our business. */
export const receiptsProjector: Handler = {
  projector: true,
  async handle(tx, message) {
    if (message.subject !== receiptIssued.subject) return;
    const issued = ReceiptIssued.safeParse(message.envelope.data);
    if (!issued.success) throw new PermanentFailure(`not an issued receipt: ${issued.error.message}`);
    await recordReceipt(tx, issued.data, message.envelope.tenant);
  },
};
