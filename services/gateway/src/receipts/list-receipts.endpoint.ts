import { PaymentId } from '@tidegate/contracts/ids';
import { listOf, ReceiptView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { createdRange, paging } from '../http/list-query.js';

export const listReceipts = defineEndpoint({
  id: 'listReceipts',
  method: 'GET',
  path: '/v1/receipts',
  tag: 'Receipts',
  summary: 'List receipts, newest first',
  scope: 'receipts:read',
  rpc: RPC.receiptList,
  params: {},
  query: z.strictObject({
    payment: PaymentId.optional(),
    kind: z.enum(['receipt', 'credit_note']).optional(),
    ...createdRange,
    ...paging,
  }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of receipts', schema: listOf(ReceiptView) } },
  problems: [],
});
