import { ReceiptIssued, receiptIssued } from '@tidegate/contracts/events/receipt';
import { type Handler, type Incoming, PermanentFailure } from '@tidegate/messaging/subscriber';
import { recordReceipts } from './recorded.store.js';

/** Projects which receipts were issued; that they were rendered is none of our business. */
export const receiptsProjector: Handler = {
  projector: true,
  handle: (tx, message) => receiptsProjector.handleAll!(tx, [message]),
  async handleAll(tx, messages) {
    const receipts = messages
      .filter((message) => message.subject === receiptIssued.subject)
      .map((message) => ({ receipt: issuedIn(message), tenant: message.envelope.tenant }));
    if (receipts.length > 0) await recordReceipts(tx, receipts);
  },
};

function issuedIn(message: Incoming): ReceiptIssued {
  const issued = ReceiptIssued.safeParse(message.envelope.data);
  if (!issued.success) throw new PermanentFailure(`not an issued receipt: ${issued.error.message}`);
  return issued.data;
}
