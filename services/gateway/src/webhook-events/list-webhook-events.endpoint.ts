import { listOf, WebhookEventView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { eventQuery } from './event-query.js';

export const listWebhookEvents = defineEndpoint({
  id: 'listWebhookEvents',
  method: 'GET',
  path: '/v1/webhook-events',
  tag: 'Webhook events',
  summary: "List Stripe's events, newest first",
  scope: 'webhooks:read',
  rpc: RPC.webhookEventList,
  params: {},
  query: z.strictObject(eventQuery),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of events', schema: listOf(WebhookEventView) } },
  problems: [],
});
