import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { StripeCheckView } from '@tidegate/contracts/ops/stripe-check';
import { operatorWorld, type OperatorWorld, SECRET_KEY } from './operator-world.js';

type Check = StripeCheckView & { breakers: { name: string; state: string }[] };

/** What the command asks for, and nobody else. */
const ACCOUNT = 'GET /v1/account';

let world: OperatorWorld;
beforeAll(async () => {
  world = await operatorWorld({ payments: { STRIPE_STATUS_URL: 'http://127.0.0.1:1/status.json', STRIPE_DEADLINE_MS: '1000' } });
}, 120_000);
afterAll(() => world?.stop());

const breakers = async () =>
  (await world.query('select to_jsonb(b) as row from stripe_gateway.breakers b order by name')).map(({ row }) => row);

describe('When Stripe is well', () => {
  it('says so in one line, with account, key and clock, and that the status page is away', async () => {
    const { exitCode, out } = await world.tidegate('stripe check');
    expect([exitCode, out.split('\n')[0]]).toEqual([0, 'Stripe: connected. Stripe answers and takes the key.']);
    expect(out).toMatch(/^account +acct_1SimulatedAccount \(test mode\)$/m);
    expect(out).toMatch(/^key +sk_test sha256:[0-9a-f]{8}$/m);
    expect(out).toMatch(/^status page +away: .+$/m);
    expect(out).not.toContain(SECRET_KEY);
  });
});

describe('When calls fail', () => {
  it('says why, whatever the breakers say, and they neither stop it nor learn of it', async () => {
    await world.post('/v1/ops/breakers/stripe/isolate', { reason: 'a drill' });
    await world.post('/v1/ops/breakers/stripe_reads/isolate', { reason: 'a drill' });
    const before = await breakers();
    const well = await world.json<Check>('stripe check');
    expect(well).toMatchObject({ exitCode: 0, value: { result: 'connected', account: 'acct_1SimulatedAccount' } });
    expect(well.value.breakers).toContainEqual({ name: 'stripe', state: 'isolated' });

    world.simulator.addFault({ fault: 'auth_expired', route: ACCOUNT, times: 1 });
    expect(await world.json<Check>('stripe check')).toMatchObject({ exitCode: 2, value: { result: 'auth_error' } });
    world.simulator.addFault({ fault: 'hang', route: ACCOUNT, times: 1, ms: 60_000 });
    expect(await world.json<Check>('stripe check')).toMatchObject({ exitCode: 2, value: { result: 'timeout', phase: 'answer' } });
    expect(await breakers()).toEqual(before);
  });

  it('tells a person what to do', async () => {
    world.simulator.addFault({ fault: 'auth_expired', route: ACCOUNT, times: 1 });
    const { exitCode, out } = await world.tidegate('stripe check');
    expect([exitCode, out]).toEqual([
      2,
      expect.stringContaining('Stripe: auth error. Stripe refuses the key: put the right one into STRIPE_SECRET_KEY'),
    ]);
    expect(out).toContain('  auth_error: api_key_expired');
  });
});
