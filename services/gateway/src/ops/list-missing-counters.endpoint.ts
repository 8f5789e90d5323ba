import { listOf } from '@tidegate/contracts/responses';
import { MissingCounterView } from '@tidegate/contracts/usage';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { paging } from '../http/list-query.js';

export const listMissingCounters = defineEndpoint({
  id: 'listMissingCounters',
  method: 'GET',
  path: '/v1/ops/usage/missing-counters',
  tag: 'Operations',
  summary: 'List usage that is in no counter, by customer and meter',
  scope: 'ops',
  rpc: RPC.operatorUsageMissing,
  params: {},
  query: z.strictObject({ ...paging }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of customers and meters of all tenants', schema: listOf(MissingCounterView) } },
  problems: [],
});
