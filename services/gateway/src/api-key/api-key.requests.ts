import { Reason } from '@tidegate/contracts/ops/reason';
import { TenantId } from '@tidegate/contracts/ops/tenants';
import { z } from 'zod';
import { ALL_SCOPES } from './scopes.js';

const expiresAt = z.iso.datetime().optional().describe('When it ends by itself; never when absent');

export const CreateApiKeyBody = z.strictObject({
  tenant: TenantId,
  scopes: z.array(z.enum(ALL_SCOPES)).min(1).max(100),
  livemode: z.boolean().optional().describe('A `tg_live_` key; `tg_test_` when absent'),
  expires_at: expiresAt,
  reason: Reason,
});
export type CreateApiKeyBody = z.infer<typeof CreateApiKeyBody>;

/** Long enough to deploy the new key everywhere. */
export const DEFAULT_OVERLAP_SECONDS = 86_400;

export const RotateApiKeyBody = z.strictObject({
  overlap_seconds: z
    .int()
    .min(0)
    .max(7_776_000)
    .optional()
    .describe(`How long the old key goes on working; ${DEFAULT_OVERLAP_SECONDS} when absent`),
  expires_at: expiresAt.describe('When the new key ends by itself; never when absent'),
  reason: Reason,
});
export type RotateApiKeyBody = z.infer<typeof RotateApiKeyBody>;
