import { z } from 'zod';
import { Reason } from './reason.js';

/** Where Stripe should deliver. */
export const EndpointUrl = z
  .string()
  .max(2048)
  .regex(/^https?:\/\/[^\s/?#]+\/[^\s?#]+$/, 'must be a URL with a path, such as https://hooks.example.com/webhooks/stripe');

export const StripeSetupBody = z.strictObject({ url: EndpointUrl, reason: Reason });
export type StripeSetupBody = z.infer<typeof StripeSetupBody>;

/** How a webhook endpoint differs from what Tidegate needs. */
export const ENDPOINT_DRIFTS = ['missing', 'disabled', 'events', 'api_version', 'secret_unused', 'duplicate'] as const;

export const EndpointDrift = z.object({ kind: z.enum(ENDPOINT_DRIFTS), endpoint: z.string().nullable(), detail: z.string() });
export type EndpointDrift = z.infer<typeof EndpointDrift>;

/** What repairs it. `create_only` facts of Stripe's, the version among them, need a new endpoint. */
export const EndpointAction = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('create'), detail: z.string() }),
  z.object({ kind: z.literal('update'), endpoint: z.string(), detail: z.string() }),
  z.object({ kind: z.literal('disable'), endpoint: z.string(), detail: z.string() }),
]);
export type EndpointAction = z.infer<typeof EndpointAction>;

export const StripeSetupView = z.object({
  object: z.literal('stripe_setup'),
  url: z.string(),
  /** What everything here is written for. */
  api_version: z.string(),
  events: z.array(z.string()),
  /** Those that Stripe has for this URL. `secret`: whether the service uses the signing secret; `unverified` when that cannot be told. */
  endpoints: z.array(
    z.object({
      id: z.string(),
      status: z.string(),
      api_version: z.string().nullable(),
      events: z.array(z.string()),
      secret: z.enum(['used', 'unused', 'unverified']),
    }),
  ),
  drift: z.array(EndpointDrift),
  /** What a repair would do; after one, what is still to do by a person is in `drift`. */
  actions: z.array(EndpointAction),
});
export type StripeSetupView = z.infer<typeof StripeSetupView>;

/** What was done, how it stands now, and a signing secret that is shown this once. */
export const StripeSetupDoneView = z.object({
  object: z.literal('stripe_setup_done'),
  done: z.array(EndpointAction),
  created: z.object({ id: z.string(), secret: z.string(), fingerprint: z.string() }).nullable(),
  now: StripeSetupView,
});
export type StripeSetupDoneView = z.infer<typeof StripeSetupDoneView>;
