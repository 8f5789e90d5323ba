import { PaymentId } from '@tidegate/contracts/ids';
import { PaymentView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const getPayment = defineEndpoint({
  id: 'getPayment',
  method: 'GET',
  path: '/v1/payments/{id}',
  tag: 'Payments',
  summary: 'See a payment',
  scope: 'payments:read',
  rpc: RPC.paymentGet,
  params: { id: PaymentId },
  idempotencyKey: 'none',
  answers: { 200: { description: 'The payment', schema: PaymentView } },
  problems: [],
});
