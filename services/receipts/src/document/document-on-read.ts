import { lookUp, StoreFailure } from '../store/document-store.port.js';
import type { ReceiptRow } from '../tables.js';
import { type DocumentPorts, issued, makeDocument, renderReceipt } from './document.flow.js';

/**
 * The PDF of a receipt: the stored one, or rendered now when it is not there yet, was lost or is damaged. While the store is away it is rendered as well and not put
 * back, as long as it has the bytes that are on record. Throws what rendering throws.
 */
export async function documentOf(
  ports: DocumentPorts,
  { tenant, receipt_id: receiptId, payment_id: paymentId }: Pick<ReceiptRow, 'tenant' | 'receipt_id' | 'payment_id'>,
): Promise<{ pdf: Uint8Array; sha256: string }> {
  const receipt = await issued(ports.db, paymentId, receiptId);
  if (receipt.rendering) {
    const { sha256 } = receipt.rendering;
    const stored = await lookUp(ports.store, { tenant, receiptId, sha256 }).catch((error: unknown) => awayIfItFailed(ports, error));
    if (stored.found === 'sound') return { pdf: stored.pdf, sha256 };
    if (stored.found === 'away') {
      const made = await makeDocument(ports, receipt, 'as_shown');
      if (made.sha256 === sha256) return made;
    }
  }
  return renderReceipt(ports, { paymentId, receiptId, trace: 'current', standing: 'as_shown' });
}

function awayIfItFailed({ metrics }: Pick<DocumentPorts, 'metrics'>, failure: unknown): { found: 'away' } {
  if (!(failure instanceof StoreFailure)) throw failure;
  const { error } = failure;
  metrics.errors.inc({ error });
  return { found: 'away' };
}
