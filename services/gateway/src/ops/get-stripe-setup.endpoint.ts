import { EndpointUrl, StripeSetupView } from '@tidegate/contracts/ops/stripe-setup';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';

export const getStripeSetup = defineEndpoint({
  id: 'getStripeSetup',
  method: 'GET',
  path: '/v1/ops/stripe/setup',
  tag: 'Operations',
  summary: "See whether Stripe's webhook endpoint is as Tidegate needs it",
  description: 'Compares URL, status, event types, API version and signing secret, and says what a repair would do.',
  scope: 'ops',
  rpc: RPC.stripeSetupGet,
  params: {},
  query: z.strictObject({
    url: EndpointUrl.describe('Where Stripe should deliver: /webhooks/stripe of the webhooks service, as Stripe reaches it'),
  }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'What was found', schema: StripeSetupView } },
  problems: ['stripe.unavailable', 'stripe.refused'],
});
