import { CheckoutId } from '@tidegate/contracts/ids';
import { ExpireCheckoutBody } from '@tidegate/contracts/requests';
import { CheckoutView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const expireCheckout = defineEndpoint({
  id: 'expireCheckout',
  method: 'POST',
  path: '/v1/checkout-sessions/{id}/expire',
  tag: 'Checkout',
  summary: 'Close the page of a checkout',
  description: 'Stripe is asked, and believed: a page that turns out to be paid stays complete, and the answer is 422.',
  scope: 'checkout:write',
  rpc: RPC.checkoutExpire,
  params: { id: CheckoutId },
  body: ExpireCheckoutBody,
  idempotencyKey: 'required',
  answers: { 200: { description: 'The checkout, expired', schema: CheckoutView } },
  problems: ['payments.stripe_unavailable', 'payments.rejected_by_stripe', 'payments.illegal_state', 'payments.in_progress'],
});
