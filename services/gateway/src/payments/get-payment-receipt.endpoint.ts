import { PaymentId } from '@tidegate/contracts/ids';
import { ReceiptView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const getPaymentReceipt = defineEndpoint({
  id: 'getPaymentReceipt',
  method: 'GET',
  path: '/v1/payments/{id}/receipt',
  tag: 'Payments',
  summary: 'See the receipt of a payment',
  scope: 'receipts:read',
  rpc: RPC.receiptOfPayment,
  params: { id: PaymentId },
  idempotencyKey: 'none',
  answers: { 200: { description: 'The receipt', schema: ReceiptView } },
  problems: [],
});
