import { baseSettings } from '@tidegate/service-host/base-config';
import { readConfig } from '@tidegate/service-host/config';
import { decimal, documented, url, wholeNumber } from '@tidegate/service-host/settings';
import { callSettings, secretKeySetting, tenantSettings } from '@tidegate/stripe-gateway/settings';
import { z } from 'zod';

/** Settings of the payments service. */
export const PaymentsConfig = z.object({
  ...baseSettings({ port: 3002 }),
  STRIPE_SECRET_KEY: secretKeySetting("Stripe's secret key."),
  STRIPE_API_BASE: documented(url('http', 'https').optional(), { doc: "Where Stripe's API is; absent means api.stripe.com." }),
  STRIPE_STATUS_URL: documented(url('http', 'https').default('https://www.stripestatus.com/api/v2/status.json'), {
    doc: "Stripe's status page as JSON. `tidegate stripe check` shows it beside its own findings; nothing acts on it.",
  }),
  STRIPE_DEADLINE_MS: documented(wholeNumber({ min: 50, max: 10_000 }).default(10_000), {
    doc: 'Longest one call to Stripe may take, from connect to the last byte.',
    unit: 'milliseconds',
  }),
  ...callSettings(),
  ...tenantSettings(),
  STRIPE_REQUEST_RATE_LIMIT: documented(wholeNumber({ min: 1, max: 1_000_000 }).default(20), {
    doc: 'Requests to Stripe that the whole fleet makes at most, reads included. No second sees more than this and a quarter of it.',
    unit: 'requests per second',
  }),
  PAYMENT_RUN_MS: documented(wholeNumber({ min: 100, max: 20_000 }).default(20_000), {
    doc: 'A request starts no further call to Stripe after this; a loop goes on.',
    unit: 'milliseconds',
  }),
  PAYMENT_ANSWER_MS: documented(wholeNumber({ min: 100, max: 22_000 }).default(22_000), {
    doc: 'A request is answered with the current state by then, whatever still runs.',
    unit: 'milliseconds',
  }),
  PAYMENT_NOT_AFTER_SECONDS: documented(wholeNumber({ min: 60, max: 604_800 }).default(3600), {
    doc: 'How long an accepted payment without a `not_after` is carried on before it is canceled.',
    unit: 'seconds',
  }),
  PAYMENTS_CONCURRENCY: documented(wholeNumber({ min: 1, max: 500 }).default(10), {
    doc: 'Waiting payments (retries, look-ups, the queue) that each process carries on at once. Raise it when the backlog grows although Stripe answers and the limit is not reached.',
    unit: 'payments',
  }),
  REFUND_ABSENCE_SECONDS: documented(wholeNumber({ min: 1, max: 604_800 }).default(3600), {
    doc: "How far apart two complete lists of Stripe's must lack a refund before it counts as never carried out.",
    unit: 'seconds',
  }),
  PAYMENT_WINDOW_HOURS: documented(decimal({ min: 0.5, max: 24 }).default(23), {
    doc: 'How long a checkout can be paid when the request does not say; Stripe takes 30 minutes to 24 hours.',
    unit: 'hours',
  }),
  LATE_SUCCESS_POLICY: documented(z.enum(['accept', 'refund', 'hold']).default('accept'), {
    doc: 'What becomes of a checkout that was paid after the end of its window: accepted, refunded in full, or held until a person decides.',
  }),
  USAGE_REPORT_SECONDS: documented(wholeNumber({ min: 0, max: 3600 }).default(10), {
    doc: "How long usage waits for more of the same customer, meter and hour before it is reported to Stripe's meter. A longer wait makes fewer calls.",
    unit: 'seconds',
  }),
  RETENTION_REPLIES: documented(wholeNumber({ min: 90 * 86_400, max: 3_153_600_000 }).default(90 * 86_400), {
    doc: 'How long the answer to a request is kept for those who repeat it; its key is kept for ever.',
    unit: 'seconds',
  }),
  UNMARKED_INTENTS: documented(z.enum(['adopt', 'foreign']).default('adopt'), {
    doc: 'What becomes of PaymentIntents of this account that carry no ids of ours: adopted as payments with origin dashboard, or left alone.',
  }),
  CIRCUIT_BREAKER_FAILURE_THRESHOLD: documented(wholeNumber({ min: 1, max: 1000 }).default(5), {
    doc: 'Failed calls of the fleet within the window that open a circuit breaker.',
    unit: 'calls',
  }),
  CIRCUIT_BREAKER_FAILURE_RATIO: documented(decimal({ min: 0.01, max: 1 }).default(0.5), {
    doc: 'Share of failed calls that it takes, too.',
  }),
  CIRCUIT_BREAKER_ROLLING_WINDOW: documented(wholeNumber({ min: 1, max: 3600 }).default(60), {
    doc: 'How far back calls count.',
    unit: 'seconds',
  }),
  CIRCUIT_BREAKER_RECOVERY_TIMEOUT: documented(wholeNumber({ min: 1, max: 3600 }).default(30), {
    doc: 'From opening to the first probe.',
    unit: 'seconds',
  }),
});
export type PaymentsConfig = Readonly<z.infer<typeof PaymentsConfig>>;

export const readPaymentsConfig = (env = process.env): PaymentsConfig => readConfig(PaymentsConfig, env);
