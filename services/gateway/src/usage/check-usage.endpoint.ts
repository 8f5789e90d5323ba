import { CustomerId } from '@tidegate/contracts/ids';
import { UsageCheckView } from '@tidegate/contracts/usage';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';

export const checkUsage = defineEndpoint({
  id: 'checkUsage',
  method: 'GET',
  path: '/v1/usage/check',
  tag: 'Usage',
  summary: 'Ask whether a customer may use more',
  description:
    '`deny` when `value` more would be above any limit that applies. Nothing is reserved; usage that is sent counts whatever the limit says.',
  scope: 'usage:read',
  rpc: RPC.usageCheck,
  params: {},
  query: z.strictObject({
    customer: CustomerId,
    meter: z
      .string()
      .min(1)
      .max(100)
      .regex(/^\P{Cc}+$/u),
    value: z
      .string()
      .regex(/^\d{1,15}(\.\d{1,12})?$/)
      .optional()
      .describe('How much more, decimal; 1 when absent'),
  }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'allow or deny', schema: UsageCheckView } },
  problems: [],
});
