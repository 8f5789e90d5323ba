import { ReplayEventsBody, ReplayOrderView } from '@tidegate/contracts/ops/webhook-events';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const replayWebhookEvents = defineEndpoint({
  id: 'replayWebhookEvents',
  method: 'POST',
  path: '/v1/webhook-events/replay',
  tag: 'Webhook events',
  summary: "Have stored events of Stripe's published once more",
  description:
    'For when a consumer was wrong and is right now. Each event is published as a replay: consumers that handled it leave it at that, those that failed at it handle it again. Nothing is asked of Stripe but the objects of events that were never delivered. With `dry_run` nothing is ordered, and the answer is the preview.',
  scope: 'webhooks:write',
  rpc: RPC.webhookEventReplay,
  params: {},
  body: ReplayEventsBody,
  idempotencyKey: 'optional',
  answers: { 200: { description: 'What is replayed, or would be', schema: ReplayOrderView } },
  problems: [],
});
