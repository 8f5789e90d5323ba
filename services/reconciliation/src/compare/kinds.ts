import { balanceTransactionKind, ledgerClearingKind, ledgerPaymentKind, ledgerTransactionKind } from '../ledger/ledger.kinds.js';
import type { AnyKind } from './kind.js';
import { chargeKind } from './kinds/charge.kind.js';
import { checkoutKind } from './kinds/checkout.kind.js';
import { disputeKind } from './kinds/dispute.kind.js';
import { invoiceKind } from './kinds/invoice.kind.js';
import { invoiceUsageKind } from './kinds/invoice-usage.kind.js';
import { paymentKind } from './kinds/payment.kind.js';
import { receiptKind } from './kinds/receipt.kind.js';
import { refundKind } from './kinds/refund.kind.js';
import { subscriptionKind } from './kinds/subscription.kind.js';
import { usageKind } from './kinds/usage.kind.js';

/** Everything that a run compares, in the order in which it is read. A running run remembers where it is by name. */
export const KINDS: readonly AnyKind[] = [
  paymentKind,
  chargeKind,
  refundKind,
  disputeKind,
  checkoutKind,
  subscriptionKind,
  invoiceKind,
  receiptKind,
  balanceTransactionKind,
  usageKind,
  invoiceUsageKind,
  ledgerTransactionKind,
  ledgerPaymentKind,
  ledgerClearingKind,
];

export function kindNamed(name: string): AnyKind {
  const kind = KINDS.find((one) => one.name === name);
  if (!kind) throw new Error(`Bug: nothing compares ${name}`);
  return kind;
}
