import { PaymentStatus } from '@tidegate/contracts/payment';
import { listOf, PaymentView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { createdRange, paging } from '../http/list-query.js';

export const listPayments = defineEndpoint({
  id: 'listPayments',
  method: 'GET',
  path: '/v1/payments',
  tag: 'Payments',
  summary: 'List payments, newest first',
  scope: 'payments:read',
  rpc: RPC.paymentList,
  params: {},
  query: z.strictObject({
    status: PaymentStatus.optional(),
    customer: z
      .string()
      .regex(/^cus_[A-Za-z0-9]{3,250}$/)
      .optional(),
    dispute: z.enum(['open', 'any']).optional().describe('Only payments that are disputed now, or ever were'),
    ...createdRange,
    ...paging,
  }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of payments', schema: listOf(PaymentView) } },
  problems: [],
});
