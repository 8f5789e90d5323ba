import { CheckoutPaymentStatus, CheckoutStatus, LateSuccess } from '@tidegate/contracts/checkout';
import { OperatorCheckoutView } from '@tidegate/contracts/ops/checkouts';
import { TenantId } from '@tidegate/contracts/ops/tenants';
import { listOf } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { paging } from '../http/list-query.js';

export const listOperatorCheckouts = defineEndpoint({
  id: 'listOperatorCheckouts',
  method: 'GET',
  path: '/v1/ops/checkouts',
  tag: 'Operations',
  summary: 'List checkouts of all tenants, newest first',
  scope: 'ops',
  rpc: RPC.operatorCheckoutList,
  params: {},
  query: z.strictObject({
    status: CheckoutStatus.optional(),
    payment_status: CheckoutPaymentStatus.optional(),
    late_success: LateSuccess.optional(),
    tenant: TenantId.optional(),
    overdue: z.enum(['true', 'false']).optional().describe('Only those that are still open after the end of their window'),
    ...paging,
  }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of checkouts', schema: listOf(OperatorCheckoutView) } },
  problems: [],
});
