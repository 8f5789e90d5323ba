import { ReceiptId } from '@tidegate/contracts/ids';
import { ReceiptView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const getReceipt = defineEndpoint({
  id: 'getReceipt',
  method: 'GET',
  path: '/v1/receipts/{id}',
  tag: 'Receipts',
  summary: 'See a receipt',
  scope: 'receipts:read',
  rpc: RPC.receiptGet,
  params: { id: ReceiptId },
  idempotencyKey: 'none',
  answers: { 200: { description: 'The receipt', schema: ReceiptView } },
  problems: [],
});
