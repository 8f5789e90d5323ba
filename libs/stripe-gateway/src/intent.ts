/** Our own plain shapes of Stripe's objects: what we use of them, in Stripe's names. Amounts in minor units, times in epoch seconds. */

export type IntentStatus =
  'requires_payment_method' | 'requires_confirmation' | 'requires_action' | 'processing' | 'requires_capture' | 'succeeded' | 'canceled';

export interface Card {
  brand: string;
  last4: string;
}

export interface PaymentError {
  code: string;
  decline_code: string | null;
  message: string;
  /** The failed charge, when the attempt reached the network. */
  charge: string | null;
  payment_method: string | null;
}

export interface Intent {
  object: 'payment_intent';
  id: string;
  status: IntentStatus;
  amount: number;
  amount_received: number;
  amount_capturable: number;
  currency: string;
  capture_method: 'automatic' | 'manual';
  client_secret: string | null;
  next_action: unknown;
  latest_charge: string | null;
  /** Known when the answer had the charge expanded. */
  card: Card | null;
  /** Whether the charge was ever disputed; null when the answer does not tell. */
  disputed: boolean | null;
  /** When the payer paid, where that is told: a card that is charged at once pays when its charge is made. */
  paid_at: number | null;
  last_payment_error: PaymentError | null;
  cancellation_reason: string | null;
  customer: string | null;
  metadata: Record<string, string>;
  created: number;
  livemode: boolean;
}

export interface Charge {
  object: 'charge';
  id: string;
  payment_intent: string | null;
  status: string;
  captured: boolean;
  paid: boolean;
  amount: number;
  amount_captured: number;
  amount_refunded: number;
  currency: string;
  balance_transaction: string | null;
  card: Card | null;
  failure_code: string | null;
  failure_message: string | null;
  metadata: Record<string, string>;
  created: number;
  livemode: boolean;
}

export interface Refund {
  object: 'refund';
  id: string;
  payment_intent: string | null;
  charge: string | null;
  status: 'pending' | 'requires_action' | 'succeeded' | 'failed' | 'canceled';
  amount: number;
  currency: string;
  reason: string | null;
  failure_reason: string | null;
  /** Null while it has moved no money, and for good when it only released an authorization. */
  balance_transaction: string | null;
  metadata: Record<string, string>;
  created: number;
}

export interface Dispute {
  object: 'dispute';
  id: string;
  payment_intent: string | null;
  charge: string | null;
  /** May be one that we do not know yet. */
  status: string;
  amount: number;
  currency: string;
  reason: string | null;
  evidence_details: { due_by: number | null };
  /** Only ever added to: the withdrawal, a reinstatement, fees. */
  balance_transactions: { amount: number; fee: number; currency: string }[];
  metadata: Record<string, string>;
  created: number;
  livemode: boolean;
}

/** What moved money on the balance, as far as it can be told for all kinds: `amount` in minor units of its own `currency`, which need not be the balance's. */
export interface BalanceSource {
  /** `charge`, `refund`, `dispute`, `payout` or another kind. */
  object: string;
  id: string;
  payment_intent: string | null;
  /** Of a charge what was captured; null where the kind has none. */
  amount: number | null;
  currency: string | null;
  metadata: Record<string, string>;
}

/** One movement of the account's balance, in minor units of the balance's `currency`: `net` = `amount` - `fee`, negative when money leaves. Never changes. */
export interface BalanceTransaction {
  object: 'balance_transaction';
  id: string;
  amount: number;
  fee: number;
  net: number;
  currency: string;
  /** From the source's currency to this one; null when they are the same. */
  exchange_rate: number | null;
  /** May be one that we do not know yet, like the next. */
  type: string;
  reporting_category: string;
  /** Null: Stripe names none. */
  source: BalanceSource | null;
  created: number;
}

export interface Customer {
  object: 'customer';
  id: string;
  deleted: boolean;
  metadata: Record<string, string>;
  /** 0 when it is deleted: Stripe keeps only the id. */
  created: number;
}

/** A hosted page where somebody can pay once. `complete` and `expired` are final. */
export interface CheckoutSession {
  object: 'checkout.session';
  id: string;
  status: 'open' | 'complete' | 'expired';
  payment_status: 'paid' | 'unpaid' | 'no_payment_required';
  /** Only while it is open. */
  url: string | null;
  expires_at: number;
  /** Made when somebody first tries to pay. */
  payment_intent: string | null;
  customer: string | null;
  amount_total: number | null;
  currency: string | null;
  /** What the payer typed; about a person. */
  email: string | null;
  metadata: Record<string, string>;
  created: number;
  livemode: boolean;
}

export interface StripeEvent {
  object: 'event';
  id: string;
  type: string;
  created: number;
  api_version: string | null;
  livemode: boolean;
  account: string | null;
  request: { id: string | null; idempotency_key: string | null } | null;
  /** The snapshot as Stripe rendered it. */
  data: { object: Record<string, unknown> };
}
