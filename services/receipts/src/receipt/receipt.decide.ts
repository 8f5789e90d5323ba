import type { PaymentSnapshot } from '@tidegate/contracts/payment';
import type { Tenant } from '@tidegate/contracts/rpc/routes';
import type { ReceiptFacts } from '../document/receipt-facts.js';
import { knownZone, yearInZone } from '../document/zoned-date.js';
import type { ReceiptIssued } from './receipt.events.js';
import { creditNoteId, receiptId } from './receipt-id.js';
import { formatNumber } from './receipt-number.js';
import type { ReceiptsOfPayment } from './receipt.state.js';

export const RECEIPT_SERIES = 'R';
export const CREDIT_NOTE_SERIES = 'CN';

/** What a payment still lacks, in the order in which it is to be recorded. */
export type Due =
  | { kind: 'receipt'; receiptId: string; amount: number }
  | { kind: 'credit_note'; receiptId: string; amount: number; refundId: string }
  | { kind: 'void'; receiptId: string };

/**
 * A payment that succeeded has a receipt over what was captured. Each of its refunds that succeeded has a credit note; one that fails after that voids its note.
 * A refund that never succeeded has none.
 */
export function dueFor(payment: PaymentSnapshot, receipts: ReceiptsOfPayment): Due[] {
  const id = receiptId(payment.payment_id);
  if (payment.status !== 'succeeded' && !receipts.has(id)) return [];
  const due: Due[] = receipts.has(id) ? [] : [{ kind: 'receipt', receiptId: id, amount: payment.amount_captured }];
  for (const refund of payment.refunds) {
    const note = creditNoteId(payment.payment_id, refund.id);
    const issued = receipts.get(note);
    if (refund.status === 'succeeded' && !issued)
      due.push({ kind: 'credit_note', receiptId: note, amount: refund.amount, refundId: refund.id });
    if (refund.status === 'failed' && issued && issued.voidedAt === null) due.push({ kind: 'void', receiptId: note });
  }
  return due;
}

export interface IssueReceipt {
  due: Exclude<Due, { kind: 'void' }>;
  payment: PaymentSnapshot;
  tenant: Tenant;
  issuedAt: Date;
  /** When somebody paid, or payments recorded the refund; null when nobody says. */
  happenedAt: Date | null;
  /** From the counter of this tenant, series and year. */
  sequence: number;
  numberFormat: string;
  template: string;
  /** 128 random bits, by which anybody who has the document finds what was issued. */
  verificationToken: string;
  /** Without a slash at the end; null when nobody knows under which address the gateway is reached. */
  publicUrl: string | null;
  /** The facts of the receipt that a credit note takes back. */
  receipt: ReceiptFacts | null;
}

/** Which counter a number comes from: the year is that of the issue date where the tenant is. */
export function counterOf(
  tenant: Tenant,
  issuedAt: Date,
  kind: 'receipt' | 'credit_note' = 'receipt',
): { tenant: string; series: string; year: number } {
  const series = kind === 'receipt' ? RECEIPT_SERIES : CREDIT_NOTE_SERIES;
  return { tenant: tenant.id, series, year: yearInZone(issuedAt, knownZone(tenant.zone)) };
}

/** Fixes a receipt over what was captured, or a credit note over what was refunded. */
export function issueReceipt(command: IssueReceipt): ReceiptIssued {
  const { due, payment, tenant, issuedAt, happenedAt, sequence, receipt, verificationToken: token, publicUrl } = command;
  const { series, year } = counterOf(tenant, issuedAt, due.kind);
  return {
    type: 'ReceiptIssued',
    version: 1,
    data: {
      receipt_id: due.receiptId,
      number: formatNumber(command.numberFormat, { series, year, sequence }),
      series,
      year,
      sequence,
      kind: due.kind,
      payment_id: payment.payment_id,
      amount: due.amount,
      currency: payment.currency,
      issued_at: issuedAt.toISOString(),
      ...(due.kind === 'credit_note' && receipt
        ? { refers_to: { receipt_id: receipt.receipt_id, number: receipt.number }, refund: { id: due.refundId } }
        : {}),
      tenant: tenant.id,
      zone: knownZone(tenant.zone),
      locale: tenant.locale,
      seller: sellerOf(tenant),
      card: payment.card,
      livemode: payment.livemode,
      ...(happenedAt === null ? {} : { happened_at: before(issuedAt, happenedAt) }),
      template: command.template,
      verification: verificationWith(token, publicUrl),
    },
  };
}

/** Nothing is said to have happened after the document about it: another clock may be ahead. */
export const before = (issuedAt: Date, happenedAt: Date): string => (happenedAt < issuedAt ? happenedAt : issuedAt).toISOString();

/** What the code on a document says. */
export const verificationWith = (token: string, publicUrl: string | null): NonNullable<ReceiptFacts['verification']> => ({
  token,
  url: publicUrl === null ? null : `${publicUrl}/verify/${token}`,
});

function sellerOf({ name, legal_lines, tax_ids, accent, logo }: Tenant): ReceiptFacts['seller'] {
  return { name, legal_lines, tax_ids: tax_ids ?? [], accent: accent ?? null, logo: logo?.sha256 ?? null };
}
