import type { FeeRecorded } from '@tidegate/contracts/events/fee';
import type { BalanceTransaction } from '@tidegate/stripe-gateway/intent';

/** One place where the ledger is not what it follows from, in the words of both sides. `stripe_id` names the row: a transaction, or what it is about. */
export interface Imbalance {
  class: 'ledger_imbalance';
  object: 'ledger_transaction' | 'payment' | 'balance_transaction';
  payment_id: string | null;
  stripe_id: string | null;
  local: string | null;
  remote: string | null;
}

/** What a balance transaction was posted with. */
export interface PostedMovement {
  transaction_id: string;
  tenant: string;
  payment_id: string | null;
  currency: string | null;
  /** Of the balance itself. */
  net: number;
  fee: number;
}

/** A transaction whose entries do not sum to zero: somebody went around the database's own rule. */
export const unbalanced = (row: { transaction_id: string; payment_id: string | null; currency: string; off: number }): Imbalance => ({
  ...{ class: 'ledger_imbalance', object: 'ledger_transaction', payment_id: row.payment_id, stripe_id: row.transaction_id },
  local: `sums to ${row.off} ${row.currency}`,
  remote: `0 ${row.currency}`,
});

/** A payment that was not posted with what is recorded of it. */
export const notAsRecorded = (row: {
  payment_id: string;
  stripe_payment_intent: string | null;
  currency: string;
  captured: number;
  refunded: number;
  sales: number;
  refunds: number;
}): Imbalance => ({
  ...{ class: 'ledger_imbalance', object: 'payment', payment_id: row.payment_id, stripe_id: row.stripe_payment_intent },
  local: `posted: captured ${row.sales}, refunded ${row.refunds} ${row.currency}`,
  remote: `recorded: captured ${row.captured}, refunded ${row.refunded} ${row.currency}`,
});

/** A payment, refund or dispute of which payments and Stripe's balance both told, and not the same. */
export const notCleared = (row: {
  reference: string;
  payment_id: string | null;
  currency: string;
  told: number;
  moved: number;
}): Imbalance => ({
  ...{ class: 'ledger_imbalance', object: 'balance_transaction', payment_id: row.payment_id, stripe_id: row.reference },
  local: `payments told of ${row.told} ${row.currency}`,
  remote: `the balance moved by ${row.moved} ${row.currency}`,
});

/** A balance transaction that the sweep has passed and that nothing was posted for. */
export const notPosted = ({ balance_transaction, payment_id, net, currency }: FeeRecorded): Imbalance => ({
  ...{ class: 'ledger_imbalance', object: 'balance_transaction', payment_id, stripe_id: balance_transaction },
  local: null,
  remote: `${net} ${currency}`,
});

/** A balance transaction that is posted and that Stripe does not list. */
export const notAtStripe = ({ transaction_id, payment_id, net, currency }: PostedMovement): Imbalance => ({
  ...{ class: 'ledger_imbalance', object: 'balance_transaction', payment_id, stripe_id: transaction_id },
  local: `${net} ${currency ?? ''}`.trim(),
  remote: null,
});

/** Nothing when it is posted as Stripe shows it. Stripe's own charges have no fee beside their amount. */
export function differing(posted: PostedMovement, movement: BalanceTransaction): Imbalance[] {
  const fee = movement.type === 'stripe_fee' ? posted.fee : movement.fee;
  const currency = posted.currency ?? movement.currency;
  if (posted.net === movement.net && posted.fee === fee && currency === movement.currency) return [];
  return [
    {
      ...{ class: 'ledger_imbalance', object: 'balance_transaction', payment_id: posted.payment_id, stripe_id: movement.id },
      local: `${posted.net} ${currency}, fee ${posted.fee}`,
      remote: `${movement.net} ${movement.currency}, fee ${movement.fee}`,
    },
  ];
}
