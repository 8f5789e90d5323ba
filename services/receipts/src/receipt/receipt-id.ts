import { createHash } from 'node:crypto';

/** The same payment and kind always give the same id, whoever issues the receipt and however often it is tried. */
export function receiptId(paymentId: string, kind: 'receipt' | 'credit_note'): string {
  return `rcp_${createHash('sha256').update(`${paymentId}:${kind}`).digest('hex').slice(0, 24)}`;
}
