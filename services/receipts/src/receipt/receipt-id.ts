import { createHash } from 'node:crypto';

/** The same payment always gives the same id, whoever issues the receipt and however often it is tried. */
export const receiptId = (paymentId: string, kind: 'receipt' = 'receipt'): string => hashed(`${paymentId}:${kind}`);

/** The same refund of a payment always gives the same credit note. */
export const creditNoteId = (paymentId: string, refundId: string): string => hashed(`${paymentId}:credit_note:${refundId}`);

const hashed = (text: string): string => `rcp_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`;
