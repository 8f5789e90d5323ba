import { OperatorPaymentView } from '@tidegate/contracts/ops/payments';
import { TenantId } from '@tidegate/contracts/ops/tenants';
import { PaymentStatus } from '@tidegate/contracts/payment';
import { listOf } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { paging, seconds } from '../http/list-query.js';

export const listOperatorPayments = defineEndpoint({
  id: 'listOperatorPayments',
  method: 'GET',
  path: '/v1/ops/payments',
  tag: 'Operations',
  summary: 'List payments of all tenants by status and age, those that are longest in their status first',
  scope: 'ops',
  rpc: RPC.operatorPaymentList,
  params: {},
  query: z.strictObject({
    status: PaymentStatus.optional(),
    tenant: TenantId.optional(),
    older_than: seconds.optional().describe('Only those that have been in their status for so many seconds'),
    without_intent: z.enum(['true', 'false']).optional().describe('Only those whose PaymentIntent id is not known: they matter most'),
    order: z.enum(['longest', 'newest']).optional(),
    ...paging,
  }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of payments', schema: listOf(OperatorPaymentView) } },
  problems: [],
});
