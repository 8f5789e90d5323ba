import { SetUsageLimitBody, UsageLimitView } from '@tidegate/contracts/usage';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const setUsageLimit = defineEndpoint({
  id: 'setUsageLimit',
  method: 'POST',
  path: '/v1/usage-limits',
  tag: 'Usage',
  summary: 'Set, change or remove a limit of usage',
  description: 'For one customer, or for every customer without a limit of his own for that meter and period.',
  scope: 'usage:write',
  rpc: RPC.usageLimitSet,
  params: {},
  body: SetUsageLimitBody,
  idempotencyKey: 'none',
  answers: { 200: { description: 'The limit as it is now', schema: UsageLimitView } },
  problems: ['not_found', 'payments.stripe_unavailable'],
});
