import { BreakerName } from '@tidegate/contracts/ids';
import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { BreakerView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const resetBreaker = defineEndpoint({
  id: 'resetBreaker',
  method: 'POST',
  path: '/v1/ops/breakers/{name}/reset',
  tag: 'Operations',
  summary: 'Set a breaker back',
  description: 'Closed, nothing counted, and no key refused or operation held any more.',
  scope: 'ops',
  rpc: RPC.breakerReset,
  params: { name: BreakerName },
  body: ReasonBody,
  idempotencyKey: 'none',
  answers: { 200: { description: 'The breaker as it is now', schema: BreakerView } },
  problems: [],
});
