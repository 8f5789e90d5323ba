import { listOf, RunTrigger, RunView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { paging } from '../http/list-query.js';

export const listRuns = defineEndpoint({
  id: 'listReconciliationRuns',
  method: 'GET',
  path: '/v1/reconciliation/runs',
  tag: 'Reconciliation',
  summary: 'List runs, newest first',
  description: 'Your own and those that the schedule makes of every tenant.',
  scope: 'reconciliation:read',
  rpc: RPC.runList,
  params: {},
  query: z.strictObject({ status: RunView.shape.status.optional(), trigger: RunTrigger.optional(), ...paging }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of runs', schema: listOf(RunView) } },
  problems: [],
});
