import { describe, expect, it } from '@jest/globals';
import { readConfig } from './config.js';

describe('The configuration', () => {
  it('comes from the environment', () => {
    const env = {
      PORT: '12111',
      STRIPE_SECRET_KEY: 'sk_test_1, sk_test_2',
      STRIPE_WEBHOOK_SECRET: 'whsec_a,whsec_b',
      STRIPE_WEBHOOK_URL: 'http://127.0.0.1:3001/webhooks/stripe',
      SIMULATOR_STATE: '/tmp/state.json',
      SIMULATOR_DELIVERY_SCHEDULE_MS: '100,200',
      SIMULATOR_SEED: '5',
    };
    expect(readConfig([], env)).toEqual({
      port: 12111,
      host: '127.0.0.1',
      apiKeys: ['sk_test_1', 'sk_test_2'],
      webhooks: [{ url: 'http://127.0.0.1:3001/webhooks/stripe', secrets: ['whsec_a', 'whsec_b'] }],
      stateFile: '/tmp/state.json',
      deliverySchedule: [100, 200],
      seed: 5,
    });
  });

  it('comes from flags before the environment', () => {
    expect(readConfig(['--port', '1', '--host', '::1', '--balance-delay-ms', '0'], { PORT: '2' })).toMatchObject({
      port: 1,
      host: '::1',
      balanceDelayMs: 0,
    });
  });

  it('takes the types of events that the endpoints get', () => {
    const env = {
      STRIPE_WEBHOOK_URL: 'http://hooks.test/a',
      STRIPE_WEBHOOK_SECRET: 'whsec_a',
      STRIPE_WEBHOOK_EVENTS: 'charge.failed, charge.updated',
    };
    const endpoint = { url: 'http://hooks.test/a', secrets: ['whsec_a'] };
    expect(readConfig([], env).webhooks).toEqual([{ ...endpoint, enabledEvents: ['charge.failed', 'charge.updated'] }]);
    expect(readConfig(['--webhook-events', '*'], env).webhooks).toEqual([{ ...endpoint, enabledEvents: ['*'] }]);
  });

  it("takes the account's version", () => {
    expect(readConfig(['--api-version', '2024-06-20'], {})).toMatchObject({ accountApiVersion: '2024-06-20' });
    expect(readConfig([], {})).not.toHaveProperty('accountApiVersion');
  });

  it('takes the rate limits that Stripe documents', () => {
    expect(readConfig(['--rate-limits', 'live'], {}).rateLimits).toMatchObject({ accountPerSecond: 100 });
    expect(readConfig([], { SIMULATOR_RATE_LIMITS: 'off' })).not.toHaveProperty('rateLimits');
  });

  it('takes the check of itself', () => {
    expect(readConfig(['--self-check'], {})).toMatchObject({ selfCheck: true });
    expect(readConfig([], { SIMULATOR_SELF_CHECK: 'true' })).toMatchObject({ selfCheck: true });
    expect(readConfig([], { SIMULATOR_SELF_CHECK: 'false' })).not.toHaveProperty('selfCheck');
  });

  it.each([
    [['--port', 'x'], {}, '--port must be a whole number, not "x".'],
    [[], { SIMULATOR_DELIVERY_SCHEDULE_MS: '1,y' }, '--delivery-schedule-ms must be a whole number, not "y".'],
    [['--api-version', '2026-01-01'], {}, `--api-version must be a version of Stripe's API such as `],
    [[], { SIMULATOR_SELF_CHECK: 'yes' }, 'SIMULATOR_SELF_CHECK must be true or false, not "yes".'],
    [['--rate-limits', 'some'], {}, '--rate-limits must be off, sandbox or live, not "some".'],
    [['--webhook-url', 'http://x'], {}, 'A webhook URL needs STRIPE_WEBHOOK_SECRET'],
  ])('refuses %j %j', (argv, env, sentence) => {
    expect(() => readConfig(argv, env)).toThrow(sentence);
  });
});
