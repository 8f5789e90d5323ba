import { z } from 'zod';

/** The public part of an API key. */
export const ApiKeyId = z.string().regex(/^[0-9A-Za-z]{12}$/);

/** A key without its secret, which nobody has but its owner. */
export const ApiKeyView = z.object({
  id: z.string(),
  object: z.literal('api_key'),
  tenant: z.string(),
  livemode: z.boolean(),
  scopes: z.array(z.string()),
  status: z.enum(['active', 'expired', 'revoked']),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
  revoked_at: z.iso.datetime().nullable(),
});
export type ApiKeyView = z.infer<typeof ApiKeyView>;

/** The only answer that ever shows a key. */
export const NewApiKeyView = ApiKeyView.extend({ key: z.string() });
export type NewApiKeyView = z.infer<typeof NewApiKeyView>;

/** The new key, and the old one with the time at which it ends. */
export const RotatedApiKeyView = NewApiKeyView.extend({ replaces: ApiKeyView });
export type RotatedApiKeyView = z.infer<typeof RotatedApiKeyView>;
