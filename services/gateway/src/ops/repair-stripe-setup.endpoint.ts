import { StripeSetupBody, StripeSetupDoneView } from '@tidegate/contracts/ops/stripe-setup';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const repairStripeSetup = defineEndpoint({
  id: 'repairStripeSetup',
  method: 'POST',
  path: '/v1/ops/stripe/setup',
  tag: 'Operations',
  summary: 'Register or repair the webhook endpoint',
  description:
    'May be repeated. A new endpoint comes with its signing secret, which nothing shows again; an endpoint that it replaces is disabled by a later request, once the service uses that secret.',
  scope: 'ops',
  rpc: RPC.stripeSetupRepair,
  params: {},
  body: StripeSetupBody,
  idempotencyKey: 'none',
  answers: { 200: { description: 'What was done, and how it stands now', schema: StripeSetupDoneView } },
  problems: ['stripe.unavailable', 'stripe.refused'],
});
