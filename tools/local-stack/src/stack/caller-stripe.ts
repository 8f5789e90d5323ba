import { type StripeSettings } from './service-env.js';

/** Which Stripe `npm start` works with: the simulator, or with keys in the caller's environment the real one. */
export type CallerStripe = { kind: 'simulator' } | { kind: 'test' | 'live'; settings: StripeSettings; webhookSecretMissing: boolean };

/**
 * Real Stripe when STRIPE_SECRET_KEY is set; `live` for sk_live_ and rk_live_. Without STRIPE_WEBHOOK_SECRET webhooks are checked against a secret that
 * nobody knows, so that none gets in.
 */
export function stripeOfCaller(env: NodeJS.ProcessEnv, unknownSecret: string): CallerStripe {
  const secretKey = env['STRIPE_SECRET_KEY'] ?? '';
  if (secretKey === '') return { kind: 'simulator' };
  const webhookSecret = env['STRIPE_WEBHOOK_SECRET'] ?? '';
  const apiBase = env['STRIPE_API_BASE'] ?? '';
  return {
    kind: /^(sk|rk)_live_/.test(secretKey) ? 'live' : 'test',
    settings: { secretKey, webhookSecret: webhookSecret === '' ? unknownSecret : webhookSecret, ...(apiBase === '' ? {} : { apiBase }) },
    webhookSecretMissing: webhookSecret === '',
  };
}
