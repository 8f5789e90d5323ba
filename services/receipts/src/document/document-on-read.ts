import type { ReceiptRow } from '../tables.js';
import { type DocumentPorts, renderReceipt } from './document.flow.js';
import { readDocument } from './document.store.js';

/** The PDF of a receipt: the stored one, or rendered now when it is not there yet, was lost or is damaged. Throws what rendering throws. */
export async function documentOf(ports: DocumentPorts, receipt: ReceiptRow): Promise<{ pdf: Uint8Array; sha256: string }> {
  const stored = await readDocument(ports.db, receipt.receipt_id);
  return stored ?? renderReceipt(ports, receipt.payment_id, receipt.receipt_id, 'current');
}
