import { listOf, WebhookEventView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { createdRange, paging } from '../http/list-query.js';

export const listWebhookEvents = defineEndpoint({
  id: 'listWebhookEvents',
  method: 'GET',
  path: '/v1/webhook-events',
  tag: 'Webhook events',
  summary: "List Stripe's events, newest first",
  scope: 'webhooks:read',
  rpc: RPC.webhookEventList,
  params: {},
  query: z.strictObject({
    status: z
      .string()
      .regex(/^[a-z_]{1,40}$/)
      .optional(),
    type: z
      .string()
      .regex(/^[a-z0-9_.]{1,100}$/)
      .optional(),
    object_id: z
      .string()
      .regex(/^[a-z]{2,12}_[A-Za-z0-9_]{3,250}$/)
      .optional()
      .describe('The Stripe object that the event is about'),
    ...createdRange,
    ...paging,
  }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of events', schema: listOf(WebhookEventView) } },
  problems: [],
});
