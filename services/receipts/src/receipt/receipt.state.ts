import type { ReceiptFacts } from '../document/receipt-facts.js';
import type { ReceiptEvent, Rendering } from './receipt.events.js';

/** One receipt or credit note of a payment, as its events tell it. */
export interface Receipt {
  facts: ReceiptFacts;
  /** The current document; null before the first one and after it was voided, until it is made again. */
  rendering: Rendering | null;
  /** Why the last attempt to render failed; null once it succeeded. */
  error: string | null;
  voidedAt: string | null;
  mail: Mail;
  /** How many of its events were published: the aggregate version of the last one. */
  published: number;
}

/** `count` is of the mails that were started. `none`: nobody to send it to, or mail was off. */
export interface Mail {
  state: 'none' | 'due' | 'sending' | 'sent' | 'refused' | 'unknown';
  count: number;
}

/** All receipts of one payment by receipt id. */
export type ReceiptsOfPayment = ReadonlyMap<string, Receipt>;

export const noReceipts: ReceiptsOfPayment = new Map();

export function evolve(receipts: ReceiptsOfPayment, event: ReceiptEvent): ReceiptsOfPayment {
  const { receipt_id } = event.data;
  const next = (after: Receipt): ReceiptsOfPayment => new Map(receipts).set(receipt_id, after);
  if (event.type === 'ReceiptIssued')
    return next({ facts: event.data, rendering: null, error: null, voidedAt: null, mail: { state: 'none', count: 0 }, published: 1 });
  const receipt = receipts.get(receipt_id);
  if (!receipt) throw new Error(`Bug: ${event.type} of ${receipt_id}, which was never issued`);
  const { mail, published } = receipt;
  switch (event.type) {
    case 'ReceiptRendered': {
      const { mail: state = mail.state } = event.data;
      return next({ ...receipt, rendering: event.data, error: null, mail: { ...mail, state }, published: published + 1 });
    }
    case 'ReceiptRenderFailed':
      return next({ ...receipt, error: event.data.error });
    case 'CreditNoteVoided':
      return next({ ...receipt, rendering: null, error: null, voidedAt: event.data.voided_at, published: published + 1 });
    case 'ReceiptMailStarted':
      return next({ ...receipt, mail: { state: 'sending', count: event.data.mail } });
    case 'ReceiptMailEnded':
      return next({
        ...receipt,
        mail: { ...mail, state: event.data.result === 'refused' && !event.data.final ? 'due' : event.data.result },
      });
    case 'ReceiptResendRequested':
      return next({ ...receipt, mail: { ...mail, state: 'due' } });
    default:
      return event satisfies never;
  }
}
