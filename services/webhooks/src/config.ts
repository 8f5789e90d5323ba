import { baseSettings } from '@tidegate/service-host/base-config';
import { readConfig } from '@tidegate/service-host/config';
import { commaSeparated, documented, secret, url, wholeNumber } from '@tidegate/service-host/settings';
import { callSettings, secretKeySetting, tenantSettings } from '@tidegate/stripe-gateway/settings';
import { z } from 'zod';

/** 90 days: three times what Stripe lists, so that whatever can still be asked of Stripe is here, too. */
const LEAST_RETENTION_SECONDS = 90 * 86_400;

/** Settings of the webhooks service. */
export const WebhooksConfig = z.object({
  ...baseSettings({ port: 3001 }),
  STRIPE_WEBHOOK_SECRET: secret(commaSeparated(), { doc: 'Signing secrets of the webhook endpoints, comma-separated; each is accepted.' }),
  STRIPE_SECRET_KEY: secretKeySetting("Stripe's secret key, for reading events and objects."),
  STRIPE_API_BASE: documented(url('http', 'https').optional(), { doc: "Where Stripe's API is; absent means api.stripe.com." }),
  ...callSettings(),
  ...tenantSettings(),
  WEBHOOKS_SWEEP_SECONDS: documented(wholeNumber({ min: 1, max: 86_400 }).default(300), {
    doc: "How often Stripe's list of events is read for deliveries that were lost.",
    unit: 'seconds',
  }),
  WEBHOOKS_SWEEP_OVERLAP_SECONDS: documented(wholeNumber({ min: 0, max: 86_400 }).optional(), {
    doc: 'How far each sweep looks back into what was swept before, since lists may lag; absent means the length of two sweeps.',
    unit: 'seconds',
  }),
  WEBHOOKS_SWEEP_SETTLE_SECONDS: documented(wholeNumber({ min: 0, max: 3600 }).default(10), {
    doc: 'Events younger than this are left to their delivery.',
    unit: 'seconds',
  }),
  WEBHOOKS_SWEEP_ALARM_SECONDS: documented(wholeNumber({ min: 600, max: 2_505_600 }).default(259_200), {
    doc: "Being further behind with Stripe's list of events than this is an alarm; Stripe lists 30 days.",
    unit: 'seconds',
  }),
  RETENTION_STRIPE_EVENTS: documented(wholeNumber({ min: LEAST_RETENTION_SECONDS, max: 3_153_600_000 }).default(LEAST_RETENTION_SECONDS), {
    doc: "How long Stripe's events are kept at least; whole months are dropped once their last event is older.",
    unit: 'seconds',
  }),
});
export type WebhooksConfig = Readonly<z.infer<typeof WebhooksConfig>>;

export const readWebhooksConfig = (env = process.env): WebhooksConfig => readConfig(WebhooksConfig, env);
