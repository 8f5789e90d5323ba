import type { DiscrepancyClass } from '@tidegate/contracts/responses';

/** What is compared, as rows name it. */
export type ObjectName =
  | 'payment'
  | 'refund'
  | 'dispute'
  | 'checkout_session'
  | 'subscription'
  | 'invoice'
  | 'receipt'
  | 'balance_transaction'
  | 'ledger_transaction'
  | 'ledger_payment'
  | 'ledger_clearing'
  | 'usage_hour'
  | 'invoice_usage';

/** One disagreement, in the words of both sides; null where a side does not have the object. */
export interface Finding {
  class: DiscrepancyClass;
  object: ObjectName;
  /** Our id of the object itself (`rfd_`, `cks_`), of a payment the same as `payment_id`. */
  local_id: string | null;
  payment_id: string | null;
  stripe_id: string | null;
  /** The PaymentIntent that it hangs on, where that is not `stripe_id`. */
  intent: string | null;
  local: string | null;
  remote: string | null;
  /** Nothing that we could do would heal it. */
  beyond_repair?: true;
}

/** `foreign`: another mode's, or nobody's when unmarked objects are declared foreign; counted and left alone. */
export type Comparison = { kind: 'agrees' } | { kind: 'foreign' } | { kind: 'differs'; findings: Finding[] };

export interface CompareRules {
  livemode: boolean;
  /** What an intent is that carries no id of ours: somebody's payment that we should have adopted, or none of our business. */
  unmarked: 'adopt' | 'foreign';
  /** Whose objects are that name no tenant and belong to no payment of ours: the account's, by STRIPE_ACCOUNT_TENANTS. */
  accountTenant: string;
}

export const AGREES: Comparison = { kind: 'agrees' };
export const FOREIGN: Comparison = { kind: 'foreign' };
export const differs = (...findings: Finding[]): Comparison => (findings.length === 0 ? AGREES : { kind: 'differs', findings });

/** Both sides' words for an amount: `4200 usd`. */
export const money = (amount: number, currency: string): string => `${amount} ${currency}`;
