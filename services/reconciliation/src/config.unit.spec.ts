import { describe, expect, it } from '@jest/globals';
import { readConfig } from '@tidegate/service-host/config';
import { ReconciliationConfig } from './config.js';

const settings = (STRIPE_SECRET_KEY: string) =>
  readConfig(ReconciliationConfig, {
    DATABASE_URL: 'postgres://reconciliation:pw@localhost/tidegate',
    NATS_URL: 'nats://reconciliation:pw@localhost:4222',
    STRIPE_SECRET_KEY,
  });

describe("Stripe's secret key", () => {
  it('is a secret or restricted one of either mode', () => {
    for (const key of ['sk_test_51Hx', 'sk_live_51Hx', 'rk_test_51Hx', 'rk_live_51Hx'])
      expect(settings(key).STRIPE_SECRET_KEY.value).toBe(key);
  });

  it('is refused where no call could ever send it', () => {
    for (const key of ['pk_test_51Hx', 'sk_test_', 'sk_test_…', 'sk_test_51 Hx', 'sk_test_51\nHx'])
      expect(() => settings(key)).toThrow('STRIPE_SECRET_KEY: must be a secret or restricted key of Stripe');
  });
});
