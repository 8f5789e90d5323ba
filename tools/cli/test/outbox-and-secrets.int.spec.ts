import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OutboxStatusView } from '@tidegate/contracts/ops/outbox-status';
import { eventually } from '@tidegate/test-harness/eventually';
import { tidegate } from './console.js';
import { operatorWorld, type OperatorWorld, SECRET_KEY, WEBHOOK_SECRET } from './operator-world.js';

let world: OperatorWorld;
beforeAll(async () => {
  world = await operatorWorld({ webhooks: { STRIPE_WEBHOOK_SECRET: `${WEBHOOK_SECRET},whsec_old` } });
}, 120_000);
afterAll(() => world?.stop());

const fingerprint = (secret: string) => `sha256:${createHash('sha256').update(secret).digest('hex').slice(0, 8)}`;

describe('When the secrets in use are asked for', () => {
  it('names each by its fingerprint and kind, and shows none', async () => {
    const { exitCode, out } = await world.tidegate('secrets fingerprint');
    const lines = out.split('\n').map((line) => line.split(/ {2,}/));
    expect(lines).toContainEqual(['payments', expect.any(String), 'STRIPE_SECRET_KEY', 'sk_test', fingerprint(SECRET_KEY), 'environment']);
    for (const secret of [WEBHOOK_SECRET, 'whsec_old'])
      expect(lines).toContainEqual(['webhooks', expect.any(String), 'STRIPE_WEBHOOK_SECRET', 'whsec', fingerprint(secret), 'environment']);
    expect(lines).toContainEqual(['gateway', expect.any(String), 'DATABASE_URL', 'postgres', expect.any(String), 'environment']);
    for (const secret of [SECRET_KEY, WEBHOOK_SECRET, 'whsec_old', 'gateway-in-tests']) expect(out).not.toContain(secret);
    // Receipts and reconciliation do not run here.
    expect([exitCode, out]).toEqual([2, expect.stringContaining('! receipts does not answer')]);
  });

  it('compares them with one from a pipe', async () => {
    const env = { TIDEGATE_URL: world.url, TIDEGATE_API_KEY: world.key };
    const known = await tidegate('secrets fingerprint --match', { env, stdin: `${WEBHOOK_SECRET}\n` });
    expect(known.out.split('\n').filter((line) => line.endsWith('yes'))).toEqual([expect.stringContaining('STRIPE_WEBHOOK_SECRET')]);
    const unknown = await tidegate('secrets fingerprint --match', { env, stdin: 'whsec_never_deployed' });
    expect(unknown.out).toContain(`no process uses the secret with the fingerprint ${fingerprint('whsec_never_deployed')}`);
    expect(unknown.out).not.toContain('whsec_never_deployed');
  });
});

describe('When the outboxes are asked for', () => {
  it('tells how far each service is', async () => {
    await world.post('/v1/payments', { amount: 4200, currency: 'usd', payment_method: 'pm_card_visa' });
    await eventually(async () => {
      const { value } = await world.json<OutboxStatusView>('outbox status');
      expect(value.data.find(({ service }) => service === 'payments')).toMatchObject({
        unpublished: 0,
        oldest_seconds: 0,
        head: expect.any(Number),
        leader: expect.stringContaining('payments-1-'),
      });
      expect(value.data.find(({ service }) => service === 'payments')?.published).toBeGreaterThanOrEqual(2);
      expect(value.silent).toEqual(['receipts', 'reconciliation']);
    });
  });

  it('finds what waits for too long, and who should publish it', async () => {
    await world.query(
      `update payments.leases set holder = 'a stranger', expires_at = now() + interval '1 hour', epoch = epoch + 1 where name = 'relay'`,
    );
    await world.post('/v1/payments', { amount: 4200, currency: 'usd', payment_method: 'pm_card_visa' });
    const { exitCode, out } = await world.tidegate('outbox status --older-than 0s');
    expect([exitCode, out]).toEqual([2, expect.stringMatching(/! payments: \d messages wait, the oldest for /)]);
    expect(out).toMatch(/^payments .* a stranger$/m);
  });

  it('says when the broker is away, which keeps everything waiting', async () => {
    await world.nats.kill();
    try {
      const { exitCode, out } = await eventually(async () => {
        const ran = await world.tidegate('outbox status');
        expect(ran.out).toContain('broker is away');
        return ran;
      });
      expect([exitCode, out]).toEqual([2, expect.stringContaining('! payments does not answer')]);
    } finally {
      await world.nats.start();
    }
  });
});
