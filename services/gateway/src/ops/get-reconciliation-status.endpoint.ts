import { ReconciliationStatusView } from '@tidegate/contracts/ops/reconciliation';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const getReconciliationStatus = defineEndpoint({
  id: 'getReconciliationStatus',
  method: 'GET',
  path: '/v1/ops/reconciliation',
  tag: 'Operations',
  summary: 'See how fresh the comparison with Stripe is, and what is running',
  scope: 'ops',
  rpc: RPC.operatorReconciliation,
  params: {},
  idempotencyKey: 'none',
  answers: { 200: { description: 'How fresh it is', schema: ReconciliationStatusView } },
  problems: [],
});
