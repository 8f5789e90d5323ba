import { StreamTokenView } from '@tidegate/contracts/responses';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { HERE } from '../http/here.js';

/** Long enough for a page to load; it reconnects with a new one. */
export const DEFAULT_TOKEN_SECONDS = 300;

export const CreateStreamTokenBody = z.strictObject({
  expires_in_seconds: z
    .int()
    .min(1)
    .max(3600)
    .optional()
    .describe(`How long it may be used to connect; ${DEFAULT_TOKEN_SECONDS} when absent`),
});
export type CreateStreamTokenBody = z.infer<typeof CreateStreamTokenBody>;

export const createStreamToken = defineEndpoint({
  id: 'createStreamToken',
  method: 'POST',
  path: '/v1/billing/stream-tokens',
  tag: 'Billing stream',
  summary: 'Make a token with which a browser can follow the billing stream',
  description:
    'For your server, which has the key. The page opens `/v1/billing/stream?token=…` with it as often as it likes until the token ends; a connection that stands goes on. It shows everything of the tenant: hand it to staff, not to payers.',
  scope: 'billing:stream',
  rpc: HERE.streamTokenCreate,
  params: {},
  body: CreateStreamTokenBody,
  idempotencyKey: 'none',
  answers: { 201: { description: 'The token', schema: StreamTokenView } },
  problems: ['not_found'],
});
