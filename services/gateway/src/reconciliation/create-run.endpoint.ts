import { CreateRunBody } from '@tidegate/contracts/requests';
import { RunView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const createRun = defineEndpoint({
  id: 'createReconciliationRun',
  method: 'POST',
  path: '/v1/reconciliation/runs',
  tag: 'Reconciliation',
  summary: 'Compare a range of dates with Stripe',
  description: 'Both dates are included, in UTC. The run goes on in the background; it succeeds only when every page of Stripe was read.',
  scope: 'reconciliation:run',
  rpc: RPC.runCreate,
  params: {},
  body: CreateRunBody,
  idempotencyKey: 'optional',
  answers: { 201: { description: 'The run, started', schema: RunView } },
  problems: [],
});
