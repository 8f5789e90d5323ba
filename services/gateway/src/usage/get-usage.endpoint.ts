import { CustomerId } from '@tidegate/contracts/ids';
import { listOf } from '@tidegate/contracts/responses';
import { UsageView } from '@tidegate/contracts/usage';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';

export const getUsage = defineEndpoint({
  id: 'getUsage',
  method: 'GET',
  path: '/v1/usage',
  tag: 'Usage',
  summary: 'See what a customer has used, by meter',
  description:
    'As it was accepted here, whether Stripe has heard of it yet or not. This calendar month (UTC) unless the query says otherwise.',
  scope: 'usage:read',
  rpc: RPC.usageGet,
  params: {},
  query: z.strictObject({
    customer: CustomerId,
    meter: z
      .string()
      .min(1)
      .max(100)
      .regex(/^\P{Cc}+$/u)
      .optional(),
    from: z.iso.datetime().optional().describe('A full hour, inclusive'),
    to: z.iso.datetime().optional().describe('A full hour, exclusive'),
  }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'Usage per meter', schema: listOf(UsageView) } },
  problems: [],
});
