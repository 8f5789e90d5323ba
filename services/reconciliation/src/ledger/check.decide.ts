import type { FeeRecorded } from '@tidegate/contracts/events/fee';
import type { BalanceTransaction } from '@tidegate/stripe-gateway/intent';

/**
 * What would heal it. `record_fee`: the balance transaction is recorded and posted. `replay_ledger`: the ledger is made anew from the events, which say
 * otherwise. `look_up`: payments asks Stripe about the payment. Null: somebody has to look at it.
 */
export type LedgerRepair = 'record_fee' | 'replay_ledger' | 'look_up' | null;

/** One place where the ledger is not what it follows from, in the words of both sides. `stripe_id` names the row: a transaction, or what it is about. */
export interface Imbalance {
  class: 'ledger_imbalance';
  tenant: string;
  object: 'ledger_transaction' | 'payment' | 'balance_transaction';
  payment_id: string | null;
  stripe_id: string | null;
  local: string | null;
  remote: string | null;
  /** When what it is about was made. */
  made_at: Date;
  repair: LedgerRepair;
}

/** What a row of any of the queries below says of whose it is. */
interface Whose {
  tenant: string;
  payment_id: string | null;
  made_at: Date;
}

/** What a balance transaction was posted with. */
export interface PostedMovement extends Whose {
  transaction_id: string;
  currency: string | null;
  /** Of the balance itself. */
  net: number;
  fee: number;
  /** Whether the event that it follows from says the same. */
  as_recorded: boolean;
}

/** A balance transaction in our words, with whose it is. */
export type Movement = FeeRecorded & { tenant: string };

const whose = ({ tenant, payment_id, made_at }: Whose) => ({ class: 'ledger_imbalance' as const, tenant, payment_id, made_at });

/** A transaction whose entries do not sum to zero: somebody went around the database's own rule. */
export const unbalanced = (row: Whose & { transaction_id: string; currency: string; off: number }): Imbalance => ({
  ...{ ...whose(row), object: 'ledger_transaction', stripe_id: row.transaction_id },
  local: `sums to ${row.off} ${row.currency}`,
  remote: `0 ${row.currency}`,
  repair: 'replay_ledger',
});

/** A payment that was not posted with what is recorded of it. */
export const notAsRecorded = (
  row: Whose & {
    stripe_payment_intent: string | null;
    currency: string;
    captured: number;
    refunded: number;
    sales: number;
    refunds: number;
  },
): Imbalance => ({
  ...{ ...whose(row), object: 'payment', stripe_id: row.stripe_payment_intent },
  local: `posted: captured ${row.sales}, refunded ${row.refunds} ${row.currency}`,
  remote: `recorded: captured ${row.captured}, refunded ${row.refunded} ${row.currency}`,
  repair: 'replay_ledger',
});

/** A payment, refund or dispute of which payments and Stripe's balance both told, and not the same. */
export const notCleared = (row: Whose & { reference: string; currency: string; told: number; moved: number }): Imbalance => ({
  ...{ ...whose(row), object: 'balance_transaction', stripe_id: row.reference },
  local: `payments told of ${row.told} ${row.currency}`,
  remote: `the balance moved by ${row.moved} ${row.currency}`,
  repair: row.payment_id === null ? null : 'look_up',
});

/** A balance transaction that the sweep has passed and that nothing was posted for; `recorded`: although it is recorded. */
export const notPosted = (movement: Movement, { recorded }: { recorded: boolean }): Imbalance => ({
  ...whose({ ...movement, made_at: new Date(movement.created_at) }),
  ...{ object: 'balance_transaction', stripe_id: movement.balance_transaction },
  local: null,
  remote: `${movement.net} ${movement.currency}`,
  repair: recorded ? 'replay_ledger' : 'record_fee',
});

/** A balance transaction that is posted and that Stripe does not list. */
export const notAtStripe = (posted: PostedMovement): Imbalance => ({
  ...{ ...whose(posted), object: 'balance_transaction', stripe_id: posted.transaction_id },
  local: `${posted.net} ${posted.currency ?? ''}`.trim(),
  remote: null,
  repair: posted.as_recorded ? null : 'replay_ledger',
});

/** Nothing when it is posted as Stripe shows it. Stripe's own charges have no fee beside their amount. */
export function differing(posted: PostedMovement, movement: BalanceTransaction): Imbalance[] {
  const fee = movement.type === 'stripe_fee' ? posted.fee : movement.fee;
  const currency = posted.currency ?? movement.currency;
  if (posted.net === movement.net && posted.fee === fee && currency === movement.currency) return [];
  return [
    {
      ...{ ...whose(posted), object: 'balance_transaction', stripe_id: movement.id },
      local: `${posted.net} ${currency}, fee ${posted.fee}`,
      remote: `${movement.net} ${movement.currency}, fee ${movement.fee}`,
      repair: posted.as_recorded ? null : 'replay_ledger',
    },
  ];
}
