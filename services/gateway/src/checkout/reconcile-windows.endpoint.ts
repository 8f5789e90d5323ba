import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { WindowReport } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const reconcileWindows = defineEndpoint({
  id: 'reconcileWindows',
  method: 'POST',
  path: '/v1/ops/payment-window/reconcile',
  tag: 'Operations',
  summary: 'Close every page whose window is over, now',
  description: 'Asks Stripe about each and tells what came of it. The same happens by itself at least every 5 minutes.',
  scope: 'ops',
  rpc: RPC.windowReconcile,
  params: {},
  body: ReasonBody,
  idempotencyKey: 'none',
  answers: { 200: { description: 'What was found', schema: WindowReport } },
  problems: [],
});
