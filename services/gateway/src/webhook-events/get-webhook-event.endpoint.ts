import { WebhookEventView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';

export const getWebhookEvent = defineEndpoint({
  id: 'getWebhookEvent',
  method: 'GET',
  path: '/v1/webhook-events/{id}',
  tag: 'Webhook events',
  summary: "See one of Stripe's events",
  scope: 'webhooks:read',
  rpc: RPC.webhookEventGet,
  params: { id: z.string().regex(/^evt_[A-Za-z0-9_]{3,250}$/) },
  idempotencyKey: 'none',
  answers: { 200: { description: 'The event', schema: WebhookEventView } },
  problems: [],
});
