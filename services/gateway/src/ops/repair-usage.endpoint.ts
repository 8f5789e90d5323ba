import { RepairUsageBody, RepairUsageView } from '@tidegate/contracts/usage';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const repairUsage = defineEndpoint({
  id: 'repairUsage',
  method: 'POST',
  path: '/v1/ops/usage/repair',
  tag: 'Operations',
  summary: 'Have the difference between an hour of usage and what Stripe counts reported',
  description:
    "For an hour with the reason `disagreement`, or a `usage_mismatch`: Stripe's summary is taken for what Stripe has, and whatever our counter says beyond it, or short of " +
    'it, is reported. Refused for meters that do not sum, and within an hour of the last report.',
  scope: 'ops',
  rpc: RPC.usageRepair,
  params: {},
  body: RepairUsageBody,
  idempotencyKey: 'none',
  answers: { 200: { description: 'What is reported next', schema: RepairUsageView } },
  problems: ['operations.illegal_state', 'payments.stripe_unavailable'],
});
