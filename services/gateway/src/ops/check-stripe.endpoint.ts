import { StripeCheckView } from '@tidegate/contracts/ops/stripe-check';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const checkStripe = defineEndpoint({
  id: 'checkStripe',
  method: 'GET',
  path: '/v1/ops/stripe/check',
  tag: 'Operations',
  summary: 'Find out what is wrong between Tidegate and Stripe',
  description:
    'Asks Stripe for the account, on a connection of its own, whatever the breakers say; they learn nothing of it. Answers 200 whatever was found.',
  scope: 'ops',
  rpc: RPC.stripeCheck,
  params: {},
  idempotencyKey: 'none',
  answers: { 200: { description: 'What was found', schema: StripeCheckView } },
  problems: [],
});
