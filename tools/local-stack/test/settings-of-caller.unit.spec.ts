import { describe, expect, it } from '@jest/globals';
import { testEnvironment } from '../src/checks/test-environment.js';
import { stripeOfCaller } from '../src/stack/caller-stripe.js';

describe("When the caller's environment has settings of Stripe", () => {
  it('works with the simulator where there is no key', () => {
    expect(stripeOfCaller({ STRIPE_API_BASE: 'http://somewhere', STRIPE_SECRET_KEY: '' }, 'unknown')).toEqual({ kind: 'simulator' });
  });

  it('works with real Stripe where there is a test key, and knows when webhooks cannot be believed', () => {
    expect(stripeOfCaller({ STRIPE_SECRET_KEY: 'sk_test_1' }, 'unknown')).toEqual({
      kind: 'test',
      settings: { secretKey: 'sk_test_1', webhookSecret: 'unknown' },
      webhookSecretMissing: true,
    });
  });

  it.each(['sk_live_1', 'rk_live_1'])('recognizes the live key %s', (key) => {
    expect(stripeOfCaller({ STRIPE_SECRET_KEY: key, STRIPE_WEBHOOK_SECRET: 'whsec_1' }, 'unknown')).toMatchObject({
      kind: 'live',
      webhookSecretMissing: false,
    });
  });

  it('keeps them, and every address, from the tests', () => {
    const env = testEnvironment({
      STRIPE_SECRET_KEY: 'sk_live_1',
      STRIPE_API_BASE: 'x',
      DATABASE_URL: 'x',
      NATS_URL: 'x',
      NODE_OPTIONS: 'x',
      HOME: '/home/me',
      NATS_SERVER_BIN: '/bin/n',
      PATH: '/bin',
    });
    expect(Object.keys(env).sort()).toEqual(['HOME', 'NATS_SERVER_BIN', 'PATH']);
  });
});
