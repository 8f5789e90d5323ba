import { CustomerId } from '@tidegate/contracts/ids';
import { listOf } from '@tidegate/contracts/responses';
import { UsageLimitView } from '@tidegate/contracts/usage';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { paging } from '../http/list-query.js';

export const listUsageLimits = defineEndpoint({
  id: 'listUsageLimits',
  method: 'GET',
  path: '/v1/usage-limits',
  tag: 'Usage',
  summary: 'List limits of usage, by meter',
  scope: 'usage:read',
  rpc: RPC.usageLimitList,
  params: {},
  query: z.strictObject({ customer: CustomerId.optional(), ...paging }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of limits', schema: listOf(UsageLimitView) } },
  problems: [],
});
