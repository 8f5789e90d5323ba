import type { PaymentSnapshot } from '@tidegate/contracts/payment';
import type { Tenant } from '@tidegate/contracts/rpc/routes';
import { knownZone, yearInZone } from '../document/zoned-date.js';
import type { ReceiptIssued } from './receipt.events.js';
import { formatNumber } from './receipt-number.js';

export interface IssueReceipt {
  receiptId: string;
  payment: PaymentSnapshot;
  tenant: Tenant;
  issuedAt: Date;
  /** From the counter of this tenant, series and year. */
  sequence: number;
  numberFormat: string;
  template: string;
}

export const RECEIPT_SERIES = 'R';

/** Which counter a receipt takes its number from: the year is that of the issue date where the tenant is. */
export function counterOf(tenant: Tenant, issuedAt: Date): { tenant: string; series: string; year: number } {
  return { tenant: tenant.id, series: RECEIPT_SERIES, year: yearInZone(issuedAt, knownZone(tenant.zone)) };
}

/** Fixes a receipt over what was captured. */
export function issueReceipt(command: IssueReceipt): ReceiptIssued {
  const { payment, tenant, issuedAt, sequence } = command;
  const { series, year } = counterOf(tenant, issuedAt);
  return {
    type: 'ReceiptIssued',
    version: 1,
    data: {
      receipt_id: command.receiptId,
      number: formatNumber(command.numberFormat, { series, year, sequence }),
      series,
      year,
      sequence,
      kind: 'receipt',
      payment_id: payment.payment_id,
      amount: payment.amount_captured,
      currency: payment.currency,
      issued_at: issuedAt.toISOString(),
      tenant: tenant.id,
      zone: knownZone(tenant.zone),
      locale: tenant.locale,
      seller: { name: tenant.name, legal_lines: tenant.legal_lines },
      card: payment.card,
      livemode: payment.livemode,
      template: command.template,
    },
  };
}
