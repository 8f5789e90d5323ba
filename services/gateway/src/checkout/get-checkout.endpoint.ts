import { CheckoutId } from '@tidegate/contracts/ids';
import { CheckoutView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const getCheckout = defineEndpoint({
  id: 'getCheckout',
  method: 'GET',
  path: '/v1/checkout-sessions/{id}',
  tag: 'Checkout',
  summary: 'See a checkout',
  description:
    'Reading an open one asks Stripe how it stands, at most once in 5 seconds: a payer who comes back may be faster than the news.',
  scope: 'checkout:read',
  rpc: RPC.checkoutGet,
  params: { id: CheckoutId },
  idempotencyKey: 'none',
  answers: { 200: { description: 'The checkout', schema: CheckoutView } },
  problems: [],
});
