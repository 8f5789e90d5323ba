import { baseSettings } from '@tidegate/service-host/base-config';
import { readConfig } from '@tidegate/service-host/config';
import { documented, url, wholeNumber } from '@tidegate/service-host/settings';
import { modeOfKey } from '@tidegate/stripe-gateway/secret-key';
import { callSettings, secretKeySetting, tenantSettings } from '@tidegate/stripe-gateway/settings';
import { z } from 'zod';
import { parseCron } from './schedule/cron.decide.js';

/** Settings of the reconciliation service. */
export const ReconciliationConfig = z.object({
  ...baseSettings({ port: 3003 }),
  STRIPE_SECRET_KEY: secretKeySetting("Stripe's secret key, for reading lists."),
  STRIPE_API_BASE: documented(url('http', 'https').optional(), { doc: "Where Stripe's API is; absent means api.stripe.com." }),
  ...callSettings(),
  ...tenantSettings(),
  UNMARKED_INTENTS: documented(z.enum(['adopt', 'foreign']).default('adopt'), {
    doc: 'What a PaymentIntent is that carries no id of ours: a payment that is missing here, or none of our business.',
  }),
  RECONCILIATION_STALE_SECONDS: documented(wholeNumber({ min: 1, max: 3600 }).default(60), {
    doc: 'How often payments that are stale or unknown are looked for, and how old they are by then.',
    unit: 'seconds',
  }),
  RECONCILIATION_QUIET_SECONDS: documented(wholeNumber({ min: 0, max: 600 }).default(25), {
    doc: 'A payment that changed more recently may have a call on its way; its status is not yet called a mismatch.',
    unit: 'seconds',
  }),
  RECONCILIATION_FEES_SECONDS: documented(wholeNumber({ min: 1, max: 3600 }).default(60), {
    doc: "How often Stripe's balance transactions are read for the ledger: fees, payouts, and what else moves the balance.",
    unit: 'seconds',
  }),
  RECONCILIATION_PATIENCE_SECONDS: documented(wholeNumber({ min: 0, max: 3600 }).default(60), {
    doc: 'How long a run goes on asking for one answer of Stripe before it fails.',
    unit: 'seconds',
  }),
  RECONCILIATION_CRON: documented(
    z
      .string()
      .default('0 2 * * *')
      .refine((text) => text === 'off' || parseCron(text) !== null, 'must be a crontab line of five fields, or off'),
    { doc: 'When the days before are compared, as a crontab line in UTC; `off` where a CronJob has it done.' },
  ),
  RECONCILIATION_DAYS: documented(wholeNumber({ min: 0, max: 30 }).default(3), {
    doc: 'How many days before its own the daily run compares again, and before the last one that succeeded when days were missed (a month at most).',
    unit: 'days',
  }),
  RECONCILIATION_ROLLING_SECONDS: documented(wholeNumber({ min: 0, max: 86_400 }).default(300), {
    doc: 'How often what was made lately is compared; 0 turns it off.',
    unit: 'seconds',
  }),
  RECONCILIATION_SCHEDULED_MODE: documented(z.enum(['report', 'repair']).default('report'), {
    doc: 'Whether the daily run and the rolling compare repair what they find.',
  }),
  RECONCILIATION_PING_URL: documented(url('http', 'https').optional(), {
    doc: "Asked for by GET after each run of days that succeeded: a dead-man's switch. It is in no line of the log.",
  }),
  RECONCILIATION_DEADLINE_SECONDS: documented(wholeNumber({ min: 1, max: 86_400 }).default(3600), {
    doc: 'How long a run may take from its beginning to its end; one that takes longer fails.',
    unit: 'seconds',
  }),
});
export type ReconciliationConfig = Readonly<z.infer<typeof ReconciliationConfig>>;

export const readReconciliationConfig = (env = process.env): ReconciliationConfig => readConfig(ReconciliationConfig, env);

/** Whether the key is of Stripe's live mode; objects of the other mode are foreign. */
export const isLivemode = ({ STRIPE_SECRET_KEY }: Pick<ReconciliationConfig, 'STRIPE_SECRET_KEY'>): boolean =>
  modeOfKey(STRIPE_SECRET_KEY.value) === 'live';
