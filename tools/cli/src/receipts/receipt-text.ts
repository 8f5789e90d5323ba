import type { OperatorReceiptView } from '@tidegate/contracts/ops/receipts';
import { money } from '../output/money.js';
import { facts } from '../output/table.js';
import { at } from '../output/time.js';

/** A receipt as an operator reads it. */
export function receiptText(one: OperatorReceiptView): string {
  return facts([
    ['receipt', one.id],
    ['number', one.number],
    ['kind', one.kind.replace('_', ' ')],
    ['tenant', one.tenant],
    ['payment', one.payment],
    ['refund', one.refund],
    ['refers to', one.refers_to],
    ['amount', money(one.amount, one.currency)],
    ['issued', at(one.issued_at)],
    ['voided', one.voided_at && at(one.voided_at)],
    ['status', one.error === null ? one.status : `${one.status}: ${one.error}`],
    ['sha256', one.sha256],
    ['input', one.input],
    ['template', one.template],
    ['engine', one.engine],
    ['fonts', one.fonts],
    ['mail', mailText(one)],
  ]);
}

function mailText({ mail, mails, mailed_at, mail_error }: OperatorReceiptView): string {
  if (mail === 'none') return 'none';
  const when = mailed_at === null ? '' : `, ${at(mailed_at)}`;
  return `${mail}${when}, begun ${mails} ${mails === 1 ? 'time' : 'times'}${mail_error === null ? '' : ` (${mail_error})`}`;
}
