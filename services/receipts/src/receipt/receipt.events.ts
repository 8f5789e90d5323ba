import type { NewEvent } from '@tidegate/event-store/append';
import type { PaymentStanding } from '../document/payment-standing.js';
import type { ReceiptFacts } from '../document/receipt-facts.js';

/** The receipt or credit note has its number; its data is all that fixes it for good. */
export type ReceiptIssued = { type: 'ReceiptIssued'; version: 1; data: ReceiptFacts };
/** The PDF exists, made of these. A later one says that it was made anew with another template, fonts, engine or standing of the payment. */
export type ReceiptRendered = { type: 'ReceiptRendered'; version: 1; data: Rendering };
/** Rendering fails now by another cause than before; the same cause again is no news. */
export type ReceiptRenderFailed = { type: 'ReceiptRenderFailed'; version: 1; data: { receipt_id: string; error: string } };
/** The refund of a credit note failed after all: the number stays and does not count any more, and its document is made again to say so. */
export type CreditNoteVoided = { type: 'CreditNoteVoided'; version: 1; data: { receipt_id: string; voided_at: string } };
/** A mail is about to go out; recorded before the mail server is spoken to, so that it never goes out twice by itself. */
export type ReceiptMailStarted = { type: 'ReceiptMailStarted'; version: 1; data: { receipt_id: string; mail: number } };
/** How it ended. `refused` was certainly not delivered and, unless `final`, is tried again; `unknown` may have been. */
export type ReceiptMailEnded = {
  type: 'ReceiptMailEnded';
  version: 1;
  data: { receipt_id: string; mail: number; result: 'sent' | 'refused' | 'unknown'; final: boolean; error: string | null; at: string };
};
/** Somebody wants it mailed once more. */
export type ReceiptResendRequested = { type: 'ReceiptResendRequested'; version: 1; data: { receipt_id: string; requested_at: string } };

/** A number that was given before the database was restored, and whose receipt nobody has. It is of no payment, in a stream of its own, and is never given again. */
export type ReceiptLost = {
  type: 'ReceiptLost';
  version: 1;
  data: { tenant: string; series: string; year: number; sequence: number; number: string; reason: string };
};

export type ReceiptEvent =
  ReceiptIssued | ReceiptRendered | ReceiptRenderFailed | CreditNoteVoided | ReceiptMailStarted | ReceiptMailEnded | ReceiptResendRequested;

const TYPES: Readonly<Record<ReceiptEvent['type'], true>> = {
  ReceiptIssued: true,
  ReceiptRendered: true,
  ReceiptRenderFailed: true,
  CreditNoteVoided: true,
  ReceiptMailStarted: true,
  ReceiptMailEnded: true,
  ReceiptResendRequested: true,
};

/** What is absent was not recorded yet when it was made. */
export interface Rendering {
  receipt_id: string;
  sha256: string;
  template: string;
  engine: string;
  fonts: string;
  /** SHA-256 of the words and figures that the template got. */
  input?: string;
  shown?: PaymentStanding;
  /** The payer has an address and mail was switched on; `unknown` when it may have been mailed before a restore. */
  mail?: 'due' | 'unknown';
}

/** The stream of all receipts of one payment. */
export const receiptStream = (paymentId: string): string => `receipt:${paymentId}`;

/** The stream of the lost numbers of one counter, `tenant/series/year`. */
export const lostNumbersStream = (counter: string): string => `receipt_numbers:${counter}`;

/** An event of a receipts' stream as its own type. Throws for one that this version does not know. */
export function asReceiptEvent(event: NewEvent): ReceiptEvent {
  if (event.version === 1 && Object.hasOwn(TYPES, event.type)) return event as ReceiptEvent;
  throw new Error(`Bug: a receipt has no event ${event.type} of version ${event.version}`);
}
