import type { FeeRecorded } from '@tidegate/contracts/events/fee';
import type { PaymentSnapshot } from '@tidegate/contracts/payment';
import type { Account } from './accounts.js';

/** One line of a transaction: `amount` in minor units of `currency`, above zero a debit. Lines of one transaction sum to zero in each currency. */
export interface Line {
  account: Account;
  currency: string;
  amount: number;
  /** What it is about, in Stripe's id: the same from both sides of clearing. */
  reference: string;
}

/**
 * All that a payment has to be posted with, as a snapshot shows it. The ledger is brought there by posting the difference, so a repetition posts nothing, and
 * a refund that fails later or a reinstated dispute posts what it takes back.
 */
export function paymentLines(payment: PaymentSnapshot): Line[] {
  const { currency } = payment;
  const intent = payment.stripe_payment_intent ?? payment.payment_id;
  const lines = through('sales', currency, -payment.amount_captured, intent);
  for (const refund of payment.refunds)
    if (refund.status === 'pending' || refund.status === 'succeeded')
      lines.push(...through('refunds', currency, refund.amount, refund.stripe_refund ?? refund.id));
  for (const { id, funds } of payment.disputes)
    if (funds) lines.push(...through('dispute_losses', funds.currency, funds.withdrawn - funds.reinstated, id));
  return tidy(lines);
}

/** What takes the ledger from one snapshot's lines to those of a later one, both as `paymentLines` has them. */
export const linesBetween = (before: readonly Line[], after: readonly Line[]): Line[] =>
  before.length === 0 ? [...after] : tidy([...after, ...before.map((line) => ({ ...line, amount: -line.amount }))]);

/** What one balance transaction of Stripe's is posted with: the balance, the fee, and where the gross amount comes from or goes to. */
export function movementLines(movement: FeeRecorded): Line[] {
  const { currency, amount, fee, net, presentment } = movement;
  const { account, reference } = counterpart(movement);
  const lines: Line[] = [
    { account: 'stripe_balance', currency, amount: net, reference },
    { account: 'stripe_fees', currency, amount: fee, reference },
  ];
  // Payments tells of a dispute's funds in the currency of the balance.
  if (presentment === null || account !== 'stripe_clearing' || movement.source?.object === 'dispute')
    return tidy([...lines, { account, currency, amount: -amount, reference }]);
  return tidy([
    ...lines,
    { account: 'conversion', currency, amount: -amount, reference },
    { account: 'conversion', currency: presentment.currency, amount: presentment.amount, reference },
    { account: 'stripe_clearing', currency: presentment.currency, amount: -presentment.amount, reference },
  ]);
}

/** Stripe's own charges, such as those for Radar or an exchange, and the tax on them: https://docs.stripe.com/reports/balance-transaction-types */
export const isOwnCharge = (type: string): boolean => ['stripe_fee', 'stripe_fx_fee', 'tax_fee'].includes(type);

function counterpart({ foreign, source, type, payment_intent, balance_transaction }: FeeRecorded): { account: Account; reference: string } {
  const reference = source?.id ?? balance_transaction;
  if (isOwnCharge(type)) return { account: 'stripe_fees', reference };
  if (foreign) return { account: 'other_movements', reference };
  switch (source?.object) {
    case 'charge':
      return { account: 'stripe_clearing', reference: payment_intent ?? reference };
    case 'refund':
    case 'dispute':
      return { account: 'stripe_clearing', reference };
    case 'payout':
      return { account: 'payouts', reference };
    default:
      return { account: 'other_movements', reference };
  }
}

/** An amount of an account, with clearing on the other side. */
const through = (account: Account, currency: string, amount: number, reference: string): Line[] => [
  { account, currency, amount, reference },
  { account: 'stripe_clearing', currency, amount: -amount, reference },
];

/** As many lines are looked through faster than their keys are made. */
const FEW = 16;

/** One line per account, currency and reference, none of nothing. */
const tidy = (lines: readonly Line[]): Line[] =>
  (lines.length <= FEW ? mergedFew(lines) : merged(lines)).filter(({ amount }) => amount !== 0);

function mergedFew(lines: readonly Line[]): Line[] {
  const kept: Line[] = [];
  for (const { account, currency, amount, reference } of lines) {
    const same = kept.find((one) => one.reference === reference && one.account === account && one.currency === currency);
    if (same) same.amount += amount;
    else kept.push({ account, currency, amount, reference });
  }
  return kept;
}

function merged(lines: readonly Line[]): Line[] {
  const kept = new Map<string, Line>();
  for (const line of lines) {
    const key = `${line.account} ${line.currency} ${line.reference}`;
    kept.set(key, { ...line, amount: (kept.get(key)?.amount ?? 0) + line.amount });
  }
  return [...kept.values()];
}
