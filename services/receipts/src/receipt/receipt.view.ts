import type { OperatorReceiptView } from '@tidegate/contracts/ops/receipts';
import type { ReceiptView } from '@tidegate/contracts/responses';
import type { ReceiptRow } from '../tables.js';

/** A receipt as REST shows it; `link` makes a signed link. */
export function receiptView(row: ReceiptRow, link: (receiptId: string) => string): ReceiptView {
  return {
    id: row.receipt_id,
    object: 'receipt',
    number: row.number,
    kind: row.kind,
    payment: row.payment_id,
    refund: row.refund_id,
    refers_to: row.refers_to,
    amount: row.amount,
    currency: row.currency,
    status: row.status,
    sha256: row.sha256,
    template: row.template,
    link: link(row.receipt_id),
    mail: row.mail,
    issued_at: row.issued_at.toISOString(),
    voided_at: row.voided_at?.toISOString() ?? null,
  };
}

/** The same with what is for operators only. */
export function operatorReceiptView(row: ReceiptRow, link: (receiptId: string) => string): OperatorReceiptView {
  return {
    ...receiptView(row, link),
    tenant: row.tenant,
    error: row.error,
    input: row.input,
    engine: row.engine,
    fonts: row.fonts,
    mails: row.mails,
    mailed_at: row.mailed_at?.toISOString() ?? null,
    mail_error: row.mail_error,
  };
}
