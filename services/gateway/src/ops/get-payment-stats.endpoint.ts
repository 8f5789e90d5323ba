import { PaymentStatsView } from '@tidegate/contracts/ops/payments';
import { TenantId } from '@tidegate/contracts/ops/tenants';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';

export const getPaymentStats = defineEndpoint({
  id: 'getPaymentStats',
  method: 'GET',
  path: '/v1/ops/payment-stats',
  tag: 'Operations',
  summary: 'Count payments by the hour of their creation and their status',
  scope: 'ops',
  rpc: RPC.operatorPaymentStats,
  params: {},
  query: z.strictObject({
    hours: z
      .string()
      .regex(/^[1-9]\d{0,2}$/, 'must be a whole number from 1 to 999')
      .optional()
      .describe('How many hours back, this one included; 24 when absent'),
    tenant: TenantId.optional(),
  }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'The counts, newest hour first', schema: PaymentStatsView } },
  problems: [],
});
