import { WebhookEndpointsView } from '@tidegate/contracts/ops/webhook-endpoints';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const listWebhookEndpoints = defineEndpoint({
  id: 'listWebhookEndpoints',
  method: 'GET',
  path: '/v1/ops/webhook-endpoints',
  tag: 'Operations',
  summary: "See Stripe's webhook endpoints, and whether what they deliver arrives",
  description:
    'Compares those that lead to Tidegate with what it needs, counts how the events of the last hour came, and how many Stripe still waits for an answer to. Works past the breakers.',
  scope: 'ops',
  rpc: RPC.operatorEndpointList,
  params: {},
  idempotencyKey: 'none',
  answers: { 200: { description: 'What was found', schema: WebhookEndpointsView } },
  problems: ['stripe.unavailable', 'stripe.refused'],
});
