import { BreakerView, listOf } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const listBreakers = defineEndpoint({
  id: 'listBreakers',
  method: 'GET',
  path: '/v1/ops/breakers',
  tag: 'Operations',
  summary: 'See the circuit breakers',
  description: 'One for writes (`stripe`), one for reads, one for reports of usage; each is the same in every process of the fleet.',
  scope: 'ops',
  rpc: RPC.breakerList,
  params: {},
  idempotencyKey: 'none',
  answers: { 200: { description: 'All breakers', schema: listOf(BreakerView) } },
  problems: [],
});
