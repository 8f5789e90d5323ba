import { documented, secret, wholeNumber } from '@tidegate/service-host/settings';
import { z } from 'zod';
import { KEY_MODE } from './secret-key.js';

/** With characters that a header takes: every call sends it in one. */
const SECRET_KEY = /^(sk|rk)_(test|live)_[\x21-\x7e]+$/;

const ACCOUNT_TENANT = /^(own|acct_[A-Za-z0-9]{1,250})=([A-Za-z0-9][A-Za-z0-9_-]{0,63})$/;

/** STRIPE_SECRET_KEY of every service that calls Stripe, with what it is for there. */
export const secretKeySetting = (doc: string) =>
  secret(z.string().regex(SECRET_KEY, 'must be a secret or restricted key of Stripe'), { doc, fixed: KEY_MODE });

/** What every service that calls Stripe may be told about its calls. Spread into its settings. */
export const callSettings = () => ({
  STRIPE_SLOW_CALL_MS: documented(wholeNumber({ min: 50, max: 60_000 }).default(5_000), {
    doc: 'A call to Stripe that takes longer counts as failed for the circuit breaker, whatever its answer.',
    unit: 'milliseconds',
  }),
  STRIPE_MAX_IN_FLIGHT: documented(wholeNumber({ min: 2, max: 10_000 }).default(50), {
    doc: 'Most calls to Stripe that one process has under way at once; reads take half of the places at most.',
    unit: 'calls',
  }),
});

/** Whose the objects of an account are that name no tenant. Spread into the settings of services that take such objects up. */
export const tenantSettings = () => ({
  STRIPE_ACCOUNT_TENANTS: documented(
    z
      .string()
      .default('')
      .transform((text) =>
        text
          .split(',')
          .map((one) => one.trim())
          .filter((one) => one !== ''),
      )
      .refine((pairs) => pairs.every((pair) => ACCOUNT_TENANT.test(pair)), 'must be pairs like own=acme,acct_1Example=other')
      .transform((pairs): ReadonlyMap<string, string> => new Map(pairs.map((pair) => pair.split('=') as [string, string]))),
    {
      doc: 'Tenant of Stripe objects whose metadata name none and whose customer belongs to none, and of all objects of connected accounts, by account: `acct_…=tenant`, comma-separated; `own` is the account of the key. Absent means `default`.',
    },
  ),
});
