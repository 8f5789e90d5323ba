import { describe, expect, it } from '@jest/globals';
import { differing, type SecretRow } from './findings.js';

const row = (service: string, instance: string, fingerprint: string, name = 'STRIPE_SECRET_KEY'): SecretRow => ({
  ...{ service, instance, name, fingerprint },
  kind: 'sk_test',
  source: 'file',
});

describe('The replicas of a service', () => {
  it('agree, whatever other services use', () => {
    expect(differing([row('payments', 'payments-1', 'a'), row('payments', 'payments-2', 'a'), row('webhooks', 'webhooks-1', 'b')])).toEqual(
      [],
    );
  });

  it('are named when one of them has another secret, or one more', () => {
    expect(differing([row('payments', 'payments-1', 'a'), row('payments', 'payments-2', 'b')])).toEqual([
      'payments: STRIPE_SECRET_KEY is not the same in all replicas',
    ]);
    const secrets = (instance: string, ...fingerprints: string[]) =>
      fingerprints.map((one) => row('webhooks', instance, one, 'STRIPE_WEBHOOK_SECRET'));
    expect(differing([...secrets('webhooks-1', 'a'), ...secrets('webhooks-2', 'a', 'b')])).toHaveLength(1);
  });
});
