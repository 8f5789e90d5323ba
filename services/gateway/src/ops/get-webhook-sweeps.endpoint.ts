import { SweepStatusView } from '@tidegate/contracts/ops/webhook-sweeps';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const getWebhookSweeps = defineEndpoint({
  id: 'getWebhookSweeps',
  method: 'GET',
  path: '/v1/ops/webhook-sweeps',
  tag: 'Operations',
  summary: "See how far Stripe's list of events has been read",
  description:
    'The sweep reads it regularly for deliveries that were lost. Stripe lists 30 days: `runway_seconds` is what is left of them.',
  scope: 'ops',
  rpc: RPC.operatorSweepStatus,
  params: {},
  idempotencyKey: 'none',
  answers: { 200: { description: 'How far it is', schema: SweepStatusView } },
  problems: [],
});
