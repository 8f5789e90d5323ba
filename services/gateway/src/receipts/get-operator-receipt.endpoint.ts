import { ReceiptId } from '@tidegate/contracts/ids';
import { OperatorReceiptView } from '@tidegate/contracts/ops/receipts';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const getOperatorReceipt = defineEndpoint({
  id: 'getOperatorReceipt',
  method: 'GET',
  path: '/v1/ops/receipts/{id}',
  tag: 'Operations',
  summary: "See a receipt, whoever's it is",
  scope: 'ops',
  rpc: RPC.operatorReceiptGet,
  params: { id: ReceiptId },
  idempotencyKey: 'none',
  answers: { 200: { description: 'The receipt', schema: OperatorReceiptView } },
  problems: [],
});
