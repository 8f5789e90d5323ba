import { PaymentId } from '@tidegate/contracts/ids';
import { ResolvePaymentView } from '@tidegate/contracts/ops/payments';
import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const resolvePayment = defineEndpoint({
  id: 'resolvePayment',
  method: 'POST',
  path: '/v1/ops/payments/{id}/resolve',
  tag: 'Operations',
  summary: 'Ask Stripe now how a payment stands, and believe it',
  description: 'The same as the schedule does by itself, only now. Moves no money; while a breaker is open it waits for it.',
  scope: 'ops',
  rpc: RPC.operatorPaymentResolve,
  params: { id: PaymentId },
  body: ReasonBody,
  idempotencyKey: 'none',
  answers: { 202: { description: 'Stripe is being asked', schema: ResolvePaymentView } },
  problems: [],
});
