import { BreakerName } from '@tidegate/contracts/ids';
import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { BreakerView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const isolateBreaker = defineEndpoint({
  id: 'isolateBreaker',
  method: 'POST',
  path: '/v1/ops/breakers/{name}/isolate',
  tag: 'Operations',
  summary: 'Stop all calls of a breaker',
  description: 'Until it is closed or reset.',
  scope: 'ops',
  rpc: RPC.breakerIsolate,
  params: { name: BreakerName },
  body: ReasonBody,
  idempotencyKey: 'none',
  answers: { 200: { description: 'The breaker as it is now', schema: BreakerView } },
  problems: [],
});
