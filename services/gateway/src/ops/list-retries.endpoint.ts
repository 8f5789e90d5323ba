import { RetryView } from '@tidegate/contracts/ops/retries';
import { PAYMENT_STATUSES } from '@tidegate/contracts/payment';
import { listOf } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { paging, seconds } from '../http/list-query.js';

export const listRetries = defineEndpoint({
  id: 'listRetries',
  method: 'GET',
  path: '/v1/ops/retries',
  tag: 'Operations',
  summary: 'List payments that wait for another try or look-up, longest first',
  scope: 'ops',
  rpc: RPC.retryList,
  params: {},
  query: z.strictObject({
    status: z.enum(PAYMENT_STATUSES).optional(),
    older_than: seconds.optional().describe('Only those that have waited for so many seconds'),
    ...paging,
  }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of waiting payments of all tenants', schema: listOf(RetryView) } },
  problems: [],
});
