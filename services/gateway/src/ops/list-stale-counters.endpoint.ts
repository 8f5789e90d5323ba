import { listOf } from '@tidegate/contracts/responses';
import { StaleCounterView } from '@tidegate/contracts/usage';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { paging, seconds } from '../http/list-query.js';

export const listStaleCounters = defineEndpoint({
  id: 'listStaleCounters',
  method: 'GET',
  path: '/v1/ops/usage/stale-counters',
  tag: 'Operations',
  summary: 'List hours of usage that Stripe is not known to agree with, oldest first',
  scope: 'ops',
  rpc: RPC.operatorUsageStale,
  params: {},
  query: z.strictObject({
    older_than: seconds.optional().describe('Not reported or not compared for so many seconds; 86400 when absent'),
    ...paging,
  }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of counters of all tenants', schema: listOf(StaleCounterView) } },
  problems: [],
});
