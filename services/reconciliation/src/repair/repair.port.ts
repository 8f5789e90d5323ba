import type { CheckoutSnapshot } from '@tidegate/contracts/checkout';
import type { InvoiceSnapshot } from '@tidegate/contracts/invoice';
import type { PaymentSnapshot } from '@tidegate/contracts/payment';
import type { SubscriptionSnapshot } from '@tidegate/contracts/subscription';

/**
 * `asked`: payments looks the payment up and carries it to what Stripe says, or adopts the intent; `told` is what it says of it now. `refused`: it answered that
 * it will not, with the reason.
 */
export type RepairAnswer = { kind: 'asked'; told?: Told } | { kind: 'refused'; status: number; code: string };

/** What payments says of an object now, which its newest published fact said too: `version` is that fact's. */
export type Told =
  | { object: 'payment'; tenant: string; version: number; snapshot: PaymentSnapshot }
  | { object: 'checkout'; tenant: string; version: number; snapshot: CheckoutSnapshot }
  | { object: 'subscription'; tenant: string; version: number; snapshot: SubscriptionSnapshot }
  | { object: 'invoice'; tenant: string; version: number; snapshot: InvoiceSnapshot };

export interface RepairRequest {
  tenant: string;
  /** One of these at least; an intent without a payment is adopted. */
  payment_id: string | null;
  stripe_payment_intent: string | null;
  checkout_id?: string;
  stripe_subscription?: string;
  stripe_invoice?: string;
  /** Stated in payments' audit. */
  reason: string;
  actor: string;
}

export interface ReceiptRequest {
  tenant: string;
  payment: PaymentSnapshot;
  reason: string;
  actor: string;
}

/** An hour of a customer's usage, RFC 3339. */
export interface UsageRequest {
  tenant: string;
  customer: string;
  meter: string;
  hour: string;
  reason: string;
  actor: string;
}

/** Asks the owners to put right what they own. Throws RpcUnavailable, RpcTimeout or RpcFailed when they give no answer; asking again does no harm. */
export interface RepairPort {
  /** Payments believes Stripe about one payment, checkout, subscription or invoice. */
  lookUp(request: RepairRequest): Promise<RepairAnswer>;
  /** Receipts gives the payment its receipt, if it has none. */
  issueReceipt(request: ReceiptRequest): Promise<RepairAnswer>;
  /** Payments believes what Stripe counts of an hour of usage, and reports the difference. */
  reportUsage(request: UsageRequest): Promise<RepairAnswer>;
}
