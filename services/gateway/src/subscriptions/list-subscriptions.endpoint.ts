import { CustomerId } from '@tidegate/contracts/ids';
import { listOf } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { SubscriptionStatus, SubscriptionView } from '@tidegate/contracts/subscription';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { createdRange, paging } from '../http/list-query.js';

export const listSubscriptions = defineEndpoint({
  id: 'listSubscriptions',
  method: 'GET',
  path: '/v1/subscriptions',
  tag: 'Subscriptions',
  summary: 'List subscriptions, newest first',
  scope: 'subscriptions:read',
  rpc: RPC.subscriptionList,
  params: {},
  query: z.strictObject({
    status: SubscriptionStatus.optional(),
    customer: CustomerId.optional(),
    ...createdRange,
    ...paging,
  }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of subscriptions', schema: listOf(SubscriptionView) } },
  problems: [],
});
