import type { ReceiptFacts } from '../document/receipt-facts.js';
import type { ReceiptEvent, Rendering } from './receipt.events.js';

/** One receipt of a payment, as its events tell it. */
export interface Receipt {
  facts: ReceiptFacts;
  rendering: Rendering | null;
  /** Why the last attempt to render failed; null once it succeeded. */
  error: string | null;
  /** How many of its events were published: the aggregate version of the last one. */
  published: number;
}

/** All receipts of one payment by receipt id. */
export type ReceiptsOfPayment = ReadonlyMap<string, Receipt>;

export const noReceipts: ReceiptsOfPayment = new Map();

export function evolve(receipts: ReceiptsOfPayment, event: ReceiptEvent): ReceiptsOfPayment {
  const next = new Map(receipts);
  switch (event.type) {
    case 'ReceiptIssued':
      return next.set(event.data.receipt_id, { facts: event.data, rendering: null, error: null, published: 1 });
    case 'ReceiptRendered': {
      const receipt = issued(receipts, event.data.receipt_id);
      return next.set(event.data.receipt_id, { ...receipt, rendering: event.data, error: null, published: receipt.published + 1 });
    }
    case 'ReceiptRenderFailed':
      return next.set(event.data.receipt_id, { ...issued(receipts, event.data.receipt_id), error: event.data.error });
    default:
      return event satisfies never;
  }
}

function issued(receipts: ReceiptsOfPayment, receiptId: string): Receipt {
  const receipt = receipts.get(receiptId);
  if (!receipt) throw new Error(`Bug: ${receiptId} was rendered before it was issued`);
  return receipt;
}
