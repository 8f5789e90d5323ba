import { z } from 'zod';
import { EndpointDrift } from './stripe-setup.js';

/** `silent`: no enabled endpoint delivers here; `not_arriving`: events come by the sweep and none by delivery; `undelivered`: Stripe got no 2xx for some. */
export const DELIVERY_FINDINGS = ['silent', 'not_arriving', 'undelivered'] as const;

export const WebhookEndpointView = z.object({
  id: z.string(),
  url: z.string(),
  status: z.string(),
  api_version: z.string().nullable(),
  events: z.int(),
  /** Whether the service accepts its signing secret; `unverified` when that cannot be told. */
  secret: z.enum(['used', 'unused', 'unverified']),
  /** It delivers to a webhooks service of Tidegate; others are some other program's. */
  ours: z.boolean(),
  /** How it differs from what Tidegate needs; empty for others' endpoints. */
  drift: z.array(EndpointDrift),
});
export type WebhookEndpointView = z.infer<typeof WebhookEndpointView>;

/** The endpoints that Stripe has, and whether what they deliver arrives. */
export const WebhookEndpointsView = z.object({
  object: z.literal('webhook_endpoints'),
  /** What everything here is written for. */
  api_version: z.string(),
  endpoints: z.array(WebhookEndpointView),
  /** Events of the last hour, by Stripe's time, and how they came; by the sweep only those of types that an endpoint is registered for. */
  last_hour: z.object({ webhook: z.int(), thin: z.int(), sweep: z.int() }),
  /** Within the last day; null when none was delivered. */
  last_delivery_at: z.iso.datetime().nullable(),
  /** Events of the last hour for which Stripe still waits for a 2xx of some endpoint; `more`: at least so many. Null when Stripe could not be asked. */
  undelivered: z.object({ count: z.int(), more: z.boolean() }).nullable(),
  findings: z.array(z.object({ kind: z.enum(DELIVERY_FINDINGS), detail: z.string() })),
});
export type WebhookEndpointsView = z.infer<typeof WebhookEndpointsView>;
