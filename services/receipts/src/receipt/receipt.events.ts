import type { NewEvent } from '@tidegate/event-store/append';
import type { ReceiptFacts } from '../document/receipt-facts.js';

/** The receipt has its number; its data is all that fixes it for good. */
export type ReceiptIssued = { type: 'ReceiptIssued'; version: 1; data: ReceiptFacts };
/** The PDF exists, made of these. A later one says that it was made anew with another template, fonts or engine. */
export type ReceiptRendered = { type: 'ReceiptRendered'; version: 1; data: Rendering };
/** Rendering fails now by another cause than before; the same cause again is no news. */
export type ReceiptRenderFailed = { type: 'ReceiptRenderFailed'; version: 1; data: { receipt_id: string; error: string } };
export type ReceiptEvent = ReceiptIssued | ReceiptRendered | ReceiptRenderFailed;

export interface Rendering {
  receipt_id: string;
  sha256: string;
  template: string;
  engine: string;
  fonts: string;
}

/** The stream of all receipts of one payment. */
export const receiptStream = (paymentId: string): string => `receipt:${paymentId}`;

/** An event of a receipts' stream as its own type. Throws for one that this version does not know. */
export function asReceiptEvent(event: NewEvent): ReceiptEvent {
  if (event.version === 1 && ['ReceiptIssued', 'ReceiptRendered', 'ReceiptRenderFailed'].includes(event.type)) return event as ReceiptEvent;
  throw new Error(`Bug: a receipt has no event ${event.type} of version ${event.version}`);
}
