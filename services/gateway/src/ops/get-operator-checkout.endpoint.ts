import { CheckoutId } from '@tidegate/contracts/ids';
import { OperatorCheckoutView } from '@tidegate/contracts/ops/checkouts';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const getOperatorCheckout = defineEndpoint({
  id: 'getOperatorCheckout',
  method: 'GET',
  path: '/v1/ops/checkouts/{id}',
  tag: 'Operations',
  summary: 'See a checkout of any tenant, and what it waits for',
  description: 'Unlike the route of the tenant, reading it asks Stripe nothing.',
  scope: 'ops',
  rpc: RPC.operatorCheckoutGet,
  params: { id: CheckoutId },
  idempotencyKey: 'none',
  answers: { 200: { description: 'The checkout', schema: OperatorCheckoutView } },
  problems: [],
});
