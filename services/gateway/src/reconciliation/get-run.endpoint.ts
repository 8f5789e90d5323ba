import { RunId } from '@tidegate/contracts/ids';
import { RunView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const getRun = defineEndpoint({
  id: 'getReconciliationRun',
  method: 'GET',
  path: '/v1/reconciliation/runs/{id}',
  tag: 'Reconciliation',
  summary: 'See a run',
  scope: 'reconciliation:read',
  rpc: RPC.runGet,
  params: { id: RunId },
  idempotencyKey: 'none',
  answers: { 200: { description: 'The run', schema: RunView } },
  problems: [],
});
