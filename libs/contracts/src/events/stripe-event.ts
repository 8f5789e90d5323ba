import { z } from 'zod';
import { defineEvent, type EventContract } from '../envelope.js';
import { CHARGE_TYPES, chargeEvents, ChargeObject } from './stripe-event/charge.js';
import { CHECKOUT_SESSION_TYPES, checkoutSessionEvents, CheckoutSessionObject } from './stripe-event/checkout-session.js';
import { exampleEvent, stripeEventOf } from './stripe-event/common.js';
import { CUSTOMER_TYPES, customerEvents, CustomerObject } from './stripe-event/customer.js';
import { DISPUTE_TYPES, disputeEvents, DisputeObject } from './stripe-event/dispute.js';
import { INVOICE_TYPES, invoiceEvents, InvoiceObject } from './stripe-event/invoice.js';
import { exampleOther, OtherObject } from './stripe-event/other.js';
import { examplePaymentIntent, PAYMENT_INTENT_TYPES, paymentIntentEvents, PaymentIntentObject } from './stripe-event/payment-intent.js';
import { PAYOUT_TYPES, payoutEvents, PayoutObject } from './stripe-event/payout.js';
import { REFUND_TYPES, refundEvents, RefundObject } from './stripe-event/refund.js';
import { SUBSCRIPTION_TYPES, subscriptionEvents, SubscriptionObject } from './stripe-event/subscription.js';

const Known = z.discriminatedUnion('object', [
  PaymentIntentObject,
  ChargeObject,
  RefundObject,
  DisputeObject,
  CheckoutSessionObject,
  SubscriptionObject,
  InvoiceObject,
  PayoutObject,
  CustomerObject,
]);

/** A Stripe object in our words, of one of the kinds with a contract or another; `object` tells. */
export const StripeObject = z.union([Known, OtherObject]);
export type StripeObject = z.infer<typeof StripeObject>;
export type StripeObjectKind = z.infer<typeof Known>['object'];

/** Any event on STRIPE_EVENTS. */
export const NormalizedStripeEvent = stripeEventOf(StripeObject);
export type NormalizedStripeEvent = z.infer<typeof NormalizedStripeEvent>;
export type StripeEventAbout<K extends StripeObjectKind> = Omit<NormalizedStripeEvent, 'object'> & {
  object: Extract<StripeObject, { object: K }>;
};

/** Whether an event is about this kind of object. */
export const isAbout = <K extends StripeObjectKind>(event: NormalizedStripeEvent, kind: K): event is StripeEventAbout<K> =>
  event.object.object === kind;

export const exampleStripeEvent = { ...exampleEvent('payment_intent.succeeded'), object: examplePaymentIntent };

/** The event types with a subject of their own, by the kind of their object; all others travel on `stripe.events.other.v1`. */
export const STRIPE_TYPES_OF = {
  payment_intent: PAYMENT_INTENT_TYPES,
  charge: CHARGE_TYPES,
  refund: REFUND_TYPES,
  dispute: DISPUTE_TYPES,
  'checkout.session': CHECKOUT_SESSION_TYPES,
  subscription: SUBSCRIPTION_TYPES,
  invoice: INVOICE_TYPES,
  payout: PAYOUT_TYPES,
  customer: CUSTOMER_TYPES,
} as const satisfies Record<StripeObjectKind, readonly string[]>;

export type StripeEventType = (typeof STRIPE_TYPES_OF)[StripeObjectKind][number];
export const STRIPE_TYPES: readonly StripeEventType[] = Object.values(STRIPE_TYPES_OF).flat();

const KIND_OF_TYPE: ReadonlyMap<string, string> = new Map(
  Object.entries(STRIPE_TYPES_OF).flatMap(([kind, types]) => types.map((type) => [type, kind] as const)),
);

export const OTHER_STRIPE_SUBJECT = 'stripe.events.other.v1';

/** Where an event about an object of this kind travels: `payment_intent.succeeded` on `stripe.events.payment_intent.succeeded.v1`. */
export const stripeSubject = (type: string, kind: string): string =>
  KIND_OF_TYPE.get(type) === kind ? `stripe.events.${type}.v1` : OTHER_STRIPE_SUBJECT;

export const otherStripeEvent = defineEvent<NormalizedStripeEvent>({
  subject: OTHER_STRIPE_SUBJECT,
  version: 1,
  doc: 'Any Stripe event of a type without a subject of its own, or whose object is not of the kind that its type promises.',
  data: NormalizedStripeEvent,
  example: { ...exampleEvent('product.created'), object: exampleOther },
});

export const stripeEvents: readonly EventContract[] = [
  ...paymentIntentEvents,
  ...chargeEvents,
  ...refundEvents,
  ...disputeEvents,
  ...checkoutSessionEvents,
  ...subscriptionEvents,
  ...invoiceEvents,
  ...payoutEvents,
  ...customerEvents,
  otherStripeEvent,
];
