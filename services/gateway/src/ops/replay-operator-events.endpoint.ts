import { ReplayEventsBody, ReplayOrderView } from '@tidegate/contracts/ops/webhook-events';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const replayOperatorEvents = defineEndpoint({
  id: 'replayOperatorEvents',
  method: 'POST',
  path: '/v1/ops/webhook-events/replay',
  tag: 'Operations',
  summary: "Have stored events of Stripe's, of all tenants, published once more",
  description:
    'Each event is published as a replay, oldest first, a batch at a time: consumers that handled it leave it at that, those that failed at it handle it again. Nothing is asked of Stripe but the objects of events that were never delivered. An empty filter means all events; with `dry_run` nothing is ordered, and the answer is the preview. The job can be followed, stopped and resumed.',
  scope: 'ops',
  rpc: RPC.operatorEventReplay,
  params: {},
  body: ReplayEventsBody,
  idempotencyKey: 'optional',
  answers: { 200: { description: 'What is replayed, or would be', schema: ReplayOrderView } },
  problems: [],
});
