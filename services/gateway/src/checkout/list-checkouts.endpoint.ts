import { CheckoutPaymentStatus, CheckoutStatus, LateSuccess } from '@tidegate/contracts/checkout';
import { CustomerId } from '@tidegate/contracts/ids';
import { CheckoutView, listOf } from '@tidegate/contracts/responses';
import { z } from 'zod';
import { createdRange, paging } from '../http/list-query.js';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const listCheckouts = defineEndpoint({
  id: 'listCheckouts',
  method: 'GET',
  path: '/v1/checkout-sessions',
  tag: 'Checkout',
  summary: 'List checkouts, newest first',
  scope: 'checkout:read',
  rpc: RPC.checkoutList,
  params: {},
  query: z.strictObject({
    status: CheckoutStatus.optional(),
    payment_status: CheckoutPaymentStatus.optional(),
    late_success: LateSuccess.optional(),
    customer: CustomerId.optional(),
    ...createdRange,
    ...paging,
  }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of checkouts', schema: listOf(CheckoutView) } },
  problems: [],
});
