import { PaymentId } from '@tidegate/contracts/ids';
import { OperatorReceiptView } from '@tidegate/contracts/ops/receipts';
import { listOf } from '@tidegate/contracts/responses';
import { TenantId } from '@tidegate/contracts/ops/tenants';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { createdRange, paging } from '../http/list-query.js';

/** Which receipts of all tenants are meant. */
export const operatorReceiptQuery = z.strictObject({
  tenant: TenantId.optional(),
  payment: PaymentId.optional(),
  kind: z.enum(['receipt', 'credit_note']).optional(),
  status: z.enum(['issued', 'rendered', 'failed']).optional(),
  ...createdRange,
  ...paging,
});

export const listOperatorReceipts = defineEndpoint({
  id: 'listOperatorReceipts',
  method: 'GET',
  path: '/v1/ops/receipts',
  tag: 'Operations',
  summary: 'List the receipts of all tenants, newest first',
  scope: 'ops',
  rpc: RPC.operatorReceiptList,
  params: {},
  query: operatorReceiptQuery,
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of receipts', schema: listOf(OperatorReceiptView) } },
  problems: [],
});
