import type { ReceiptView } from '@tidegate/contracts/responses';
import type { ReceiptRow } from '../tables.js';

/** A receipt as REST shows it. */
export function receiptView(row: ReceiptRow): ReceiptView {
  return {
    id: row.receipt_id,
    object: 'receipt',
    number: row.number,
    kind: row.kind,
    payment: row.payment_id,
    status: row.status,
    sha256: row.sha256,
    template: row.template,
    link: null,
    issued_at: row.issued_at.toISOString(),
  };
}
