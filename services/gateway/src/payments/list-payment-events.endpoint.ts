import { PaymentId } from '@tidegate/contracts/ids';
import { Timeline } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const listPaymentEvents = defineEndpoint({
  id: 'listPaymentEvents',
  method: 'GET',
  path: '/v1/payments/{id}/events',
  tag: 'Payments',
  summary: 'See what happened to a payment, oldest first',
  scope: 'payments:read',
  rpc: RPC.paymentEvents,
  params: { id: PaymentId },
  idempotencyKey: 'none',
  answers: { 200: { description: 'Its timeline', schema: Timeline } },
  problems: [],
});
