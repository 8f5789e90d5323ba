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
    'it, is reported. Of meters that count events or take the latest, events that Stripe lacks are sent again, and it is refused where Stripe has more. Also refused within an ' +
    'hour of the last report; the same with the same reason again is answered as done.',
  scope: 'ops',
  rpc: RPC.usageRepair,
  params: {},
  body: RepairUsageBody,
  idempotencyKey: 'none',
  answers: { 200: { description: 'What is reported next', schema: RepairUsageView } },
  problems: ['operations.illegal_state', 'payments.stripe_unavailable'],
});
