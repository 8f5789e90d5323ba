import { z } from 'zod';
import { amount, commonFields, seconds, since, stripeContracts, text } from './common.js';

export const CHECKOUT_SESSION_TYPES = [
  'checkout.session.completed',
  'checkout.session.expired',
  'checkout.session.async_payment_succeeded',
  'checkout.session.async_payment_failed',
] as const;

/** `payment_status` paid | unpaid | no_payment_required: a delayed method completes unpaid. `payment_intent` is null until somebody tries to pay. */
export const CheckoutSessionObject = z.object({
  object: z.literal('checkout.session'),
  ...commonFields,
  amount: amount,
  currency: text,
  payment_status: text,
  mode: since(text),
  subscription: since(text),
  invoice: since(text),
  expires_at: since(seconds),
});
export type CheckoutSessionObject = z.infer<typeof CheckoutSessionObject>;

export const checkoutSessionEvents = stripeContracts({
  types: CHECKOUT_SESSION_TYPES,
  object: CheckoutSessionObject,
  example: {
    object: 'checkout.session' as const,
    id: 'cs_test_3Example',
    status: 'complete',
    created: 1795240700,
    payment_intent: 'pi_3Example',
    customer: null,
    metadata: { checkout_id: 'cks_4f1c2b7a9d3e5f60', tenant_id: 'default' },
    amount: 4200,
    currency: 'usd',
    payment_status: 'paid',
    mode: 'payment',
    subscription: null,
    invoice: null,
    expires_at: 1795323500,
  },
  doc: (type) => `Stripe said ${type} of a Checkout Session.`,
});
