import { CheckoutId } from '@tidegate/contracts/ids';
import { CheckoutWindowBody } from '@tidegate/contracts/requests';
import { CheckoutView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const overrideCheckoutWindow = defineEndpoint({
  id: 'overrideCheckoutWindow',
  method: 'POST',
  path: '/v1/checkout-sessions/{id}/window',
  tag: 'Checkout',
  summary: 'Extend or end the window of a checkout by hand',
  description:
    'Written down with who and why. `extend` opens a fresh page, with another `url`, only after Stripe has closed the one before; an expired checkout opens again. ' +
    'One that was paid meanwhile stays complete, and the answer is 422.',
  scope: 'checkout:write',
  rpc: RPC.checkoutWindow,
  params: { id: CheckoutId },
  body: CheckoutWindowBody,
  idempotencyKey: 'required',
  answers: { 200: { description: 'The checkout', schema: CheckoutView } },
  problems: ['payments.stripe_unavailable', 'payments.rejected_by_stripe', 'payments.illegal_state', 'payments.in_progress'],
});
