import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/** The operations that take an Idempotency-Key. */
export const OPERATIONS = ['create', 'confirm', 'capture', 'cancel', 'refund'] as const;
export type PaymentOperation = (typeof OPERATIONS)[number];

/** What makes a request the same request: who asks, of what (method and path with ids filled in), under which key. */
export interface Scope {
  tenant: string;
  route: string;
  key: string;
}

/**
 * Every id that a request gives birth to follows from its scope alone, so that a repetition after a restore of the database reaches the same Stripe key
 * and the same metadata. The operation is part of a command's id, and so of every Stripe key.
 */
export const commandIdOf = (operation: PaymentOperation, scope: Scope): string => `cmd_${operation}_${digest('command', scope)}`;
export const paymentIdOf = (scope: Scope): string => `pay_${digest('payment', scope)}`;
export const refundIdOf = (scope: Scope): string => `rfd_${digest('refund', scope)}`;

export const checkoutIdOf = (scope: Scope): string => `cks_${digest('checkout', scope)}`;
/** Ours alone: others know a customer by Stripe's id. */
export const customerRefOf = (scope: Scope): string => `cst_${digest('customer', scope)}`;

/** Of a customer that was not made through our API. */
export const foreignCustomerRef = (stripeCustomer: string): string => `cst_${hex(['foreign', stripeCustomer])}`;

/** Of a request about a subscription: ours alone, others know it by Stripe's id. */
export const subscriptionCommandRefOf = (scope: Scope): string => `sbc_${digest('subscription_command', scope)}`;
/** Of canceling a subscription that nobody was told of. */
export const orphanCommandRefOf = (subscription: string): string => `sbc_${hex(['orphan', subscription])}`;

/** The requests with a key that are not about a payment. */
export type ObjectOperation =
  | 'checkout_create'
  | 'checkout_expire'
  | 'checkout_window'
  | 'checkout_late'
  | 'customer_create'
  | 'subscription_create'
  | 'subscription_change'
  | 'subscription_cancel';
export const objectCommandId = (operation: ObjectOperation, scope: Scope): string => `cmd_${operation}_${digest('command', scope)}`;

/** Payments and refunds that were not made through our API. `account` is null for our own; `stripeId` is that of the Checkout Session, where there is one, else of the PaymentIntent. */
export const foreignPaymentId = (account: string | null, stripeId: string): string => `pay_${hex(['foreign', account ?? '', stripeId])}`;
export const foreignRefundId = (stripeRefund: string): string => `rfd_${hex(['foreign', stripeRefund])}`;

/** `cmd_refund_…` -> `refund`. Null for commands of our own, which nobody waits for. */
export function operationOf(commandId: string): PaymentOperation | null {
  const name = /^cmd_([a-z]+)_[0-9a-f]{32}$/.exec(commandId)?.[1];
  return OPERATIONS.find((operation) => operation === name) ?? null;
}

/** Equal for bodies that mean the same: the order of members does not count. */
export function requestHash(body: unknown): string {
  const canonical = canonicalize(body ?? null);
  if (canonical === undefined) throw new Error('Bug: the body is no JSON value');
  return createHash('sha256').update(canonical).digest('hex');
}

const digest = (what: string, { tenant, route, key }: Scope): string => hex([what, tenant, route, key]);

/** JSON keeps the parts apart: no two lists give one text. */
const hex = (parts: string[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
