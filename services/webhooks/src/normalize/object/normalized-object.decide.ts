import type { StripeObject } from '@tidegate/contracts/events/stripe-event';
import { normalizedCharge } from './charge.decide.js';
import { normalizedCheckoutSession } from './checkout-session.decide.js';
import { normalizedCustomer } from './customer.decide.js';
import { normalizedDispute } from './dispute.decide.js';
import { normalizedInvoice } from './invoice.decide.js';
import { normalizedOther } from './other.decide.js';
import { normalizedPaymentIntent } from './payment-intent.decide.js';
import { normalizedPayout } from './payout.decide.js';
import type { Json } from './read.decide.js';
import { normalizedRefund } from './refund.decide.js';
import { normalizedSubscription } from './subscription.decide.js';

/**
 * What we keep of a Stripe object as the pinned API version renders it. Each kind reads only the fields it names, so a `client_secret` (or anything else)
 * cannot get through. `fallbackId` is for objects without an id (a balance).
 */
export function normalizedObject(source: Json, fallbackId: string): StripeObject {
  switch (source['object']) {
    case 'payment_intent':
      return normalizedPaymentIntent(source, fallbackId);
    case 'charge':
      return normalizedCharge(source, fallbackId);
    case 'refund':
      return normalizedRefund(source, fallbackId);
    case 'dispute':
      return normalizedDispute(source, fallbackId);
    case 'checkout.session':
      return normalizedCheckoutSession(source, fallbackId);
    case 'subscription':
      return normalizedSubscription(source, fallbackId);
    case 'invoice':
      return normalizedInvoice(source, fallbackId);
    case 'payout':
      return normalizedPayout(source, fallbackId);
    case 'customer':
      return normalizedCustomer(source, fallbackId);
    default:
      return normalizedOther(source, fallbackId);
  }
}

/** Events of one aggregate are published in order: everything about one payment is keyed by its PaymentIntent. */
export const aggregateOf = (object: StripeObject): string => object.payment_intent ?? object.id;
