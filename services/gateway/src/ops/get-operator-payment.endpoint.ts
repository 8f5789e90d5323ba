import { PaymentId } from '@tidegate/contracts/ids';
import { OperatorPaymentDetail } from '@tidegate/contracts/ops/payments';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const getOperatorPayment = defineEndpoint({
  id: 'getOperatorPayment',
  method: 'GET',
  path: '/v1/ops/payments/{id}',
  tag: 'Operations',
  summary: 'See a payment of any tenant, what happened to it, and what it waits for',
  scope: 'ops',
  rpc: RPC.operatorPaymentGet,
  params: { id: PaymentId },
  idempotencyKey: 'none',
  answers: { 200: { description: 'The payment', schema: OperatorPaymentDetail } },
  problems: [],
});
