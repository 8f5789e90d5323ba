import { OrderSweepBody, SweepView } from '@tidegate/contracts/ops/webhook-sweeps';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const orderWebhookSweep = defineEndpoint({
  id: 'orderWebhookSweep',
  method: 'POST',
  path: '/v1/ops/webhook-sweeps',
  tag: 'Operations',
  summary: "Read Stripe's list of events now, from further back if need be",
  description:
    'Events that are not stored are taken in. It reads an hour of events at a time and waits while Stripe does not answer. Doing it twice changes nothing.',
  scope: 'ops',
  rpc: RPC.operatorSweepOrder,
  params: {},
  body: OrderSweepBody,
  idempotencyKey: 'none',
  answers: { 200: { description: 'The sweep, which goes on', schema: SweepView } },
  problems: [],
});
