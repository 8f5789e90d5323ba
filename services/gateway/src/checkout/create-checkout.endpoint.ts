import { CreateCheckoutBody } from '@tidegate/contracts/requests';
import { CheckoutView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const createCheckout = defineEndpoint({
  id: 'createCheckout',
  method: 'POST',
  path: '/v1/checkout-sessions',
  tag: 'Checkout',
  summary: 'Open a page where something can be paid once',
  description:
    'Send the payer to `url`. The page can be paid until `window_ends_at`; then it is closed at Stripe. When Stripe stays silent the answer is 503: the request ' +
    'goes on by itself, and the same key gets the page.',
  scope: 'checkout:write',
  rpc: RPC.checkoutCreate,
  params: {},
  body: CreateCheckoutBody,
  idempotencyKey: 'required',
  answers: { 201: { description: 'The checkout', schema: CheckoutView } },
  problems: [
    'payments.stripe_unavailable',
    'payments.rejected_by_stripe',
    'not_found',
    'payments.illegal_state',
    'payments.amount_too_small',
    'payments.amount_too_large',
    'payments.currency_unsupported',
  ],
});
