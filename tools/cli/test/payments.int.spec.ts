import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OperatorPaymentDetail, OperatorPaymentView, PaymentStatsView } from '@tidegate/contracts/ops/payments';
import { eventually } from '@tidegate/test-harness/eventually';
import { operatorWorld, type OperatorWorld } from './operator-world.js';

let world: OperatorWorld;
/** One payment of each tenant that succeeded, one that was declined, and one whose first call to Stripe was never answered. */
const made: Record<'paid' | 'declined' | 'lost', string> = { paid: '', declined: '', lost: '' };

beforeAll(async () => {
  world = await operatorWorld({ payments: { STRIPE_DEADLINE_MS: '300' } });
  const create = (payment_method: string) => world.post<{ id: string }>('/v1/payments', { amount: 4200, currency: 'usd', payment_method });
  made.paid = (await create('pm_card_visa')).id;
  made.declined = (await create('pm_card_visa_chargeDeclined')).id;
  // Stripe takes it and says nothing, and does not list anything either for now.
  world.simulator.addFault({ fault: 'hang', route: 'POST /v1/payment_intents', times: 1, ms: 60_000 });
  world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/payment_intents', times: 1000 });
  made.lost = (await create('pm_card_visa')).id;
}, 120_000);
afterAll(() => world?.stop());

const list = (options: string) => world.json<{ data: OperatorPaymentView[] }>(`payments list ${options}`);
const ids = ({ data }: { data: OperatorPaymentView[] }) => data.map(({ id }) => id);

describe('When payments are listed', () => {
  it('finds those without a PaymentIntent id, which the schedule is after', async () => {
    const { exitCode, value } = await list('--without-intent');
    expect([exitCode, ids(value)]).toEqual([0, [made.lost]]);
    expect(value.data[0]).toMatchObject({
      tenant: 'default',
      status: 'unknown',
      stripe_payment_intent: null,
      work: { attempt: expect.any(Number) },
    });
  });

  it('comes by status and age, of all tenants, and finds what is too old with exit code 2', async () => {
    const key = await world.newKey({ tenant: 'other' });
    const { id } = await world.post<{ id: string }>(
      '/v1/payments',
      { amount: 700, currency: 'jpy', payment_method: 'pm_card_visa' },
      { authorization: `Bearer ${key}` },
    );
    expect(ids((await list('--status succeeded')).value)).toEqual([made.paid, id]);
    expect(ids((await list('--status succeeded --newest --limit 1')).value)).toEqual([id]);
    expect(ids((await list('--tenant other')).value)).toEqual([id]);
    expect(await list('--status unknown --older-than 1h')).toMatchObject({ exitCode: 0, value: { data: [] } });
    await world.query(`update payments.payments set status_since = status_since - interval '2 hours' where id = $1`, [made.lost]);
    expect((await list('--status unknown --older-than 1h')).exitCode).toBe(2);

    const { out } = await world.tidegate('payments list');
    expect(out).toMatch(new RegExp(`^${made.lost} +default +unknown +2 h.* +42\\.00 USD +- +`, 'm'));
    expect(out).toMatch(new RegExp(`^${id} +other +succeeded +\\S+ s +700 JPY +pi_`, 'm'));
    expect(out).toMatch(new RegExp(`^${made.declined} .* generic_decline$`, 'm'));
  });

  it('refuses a status that does not exist', async () => {
    const { exitCode, err } = await world.tidegate('payments list --status pending');
    expect([exitCode, err]).toEqual([1, expect.stringContaining('Allowed choices are')]);
  });
});

describe('When one is shown', () => {
  it('tells how it stands and what happened', async () => {
    const { exitCode, out } = await world.tidegate(`payments show ${made.paid}`);
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^status +succeeded, for /m);
    expect(out).toMatch(/^to do +nothing$/m);
    expect(out).toContain('WHAT HAPPENED');
    const { value } = await world.json<OperatorPaymentDetail>(`payments show ${made.paid}`);
    expect(value.events.length).toBeGreaterThan(2);
    expect(JSON.stringify(value)).not.toContain('_secret_');
  });

  it('says that there is none', async () => {
    const { exitCode, err } = await world.tidegate('payments show pay_0000000000000000');
    expect([exitCode, err]).toEqual([1, 'Failed: There is no such thing: There is no such payment.\n']);
  });
});

describe('When they are counted', () => {
  it('has a row for each hour and a column for each status', async () => {
    const { value } = await world.json<PaymentStatsView>('payments stats --tenant default --hours 2');
    const total = value.data.reduce((sum, { count }) => sum + count, 0);
    expect(total).toBe(3);
    const { out } = await world.tidegate('payments stats --hours 2 --tenant default');
    expect(out.split('\n')[0]).toMatch(/^HOUR +ALL +/);
    expect(out).toMatch(/:00:00Z +3 /);
    expect((await world.tidegate('payments stats --tenant nobody')).out).toContain('No payments since');
  });
});

describe('When one is resolved', () => {
  it('stays uncertain while Stripe cannot be asked, and says so with exit code 2', async () => {
    const { exitCode, out } = await world.tidegate(`payments resolve ${made.lost} --wait 1s --reason "customer asks" --yes`);
    expect([exitCode, out]).toEqual([2, expect.stringContaining('It is still unknown.')]);
  });

  it('is asked for at Stripe at once, with who and why written down', async () => {
    world.simulator.clearFaults();
    const preview = await world.tidegate(`payments resolve ${made.lost} --reason test`);
    expect([preview.exitCode, preview.out]).toEqual([
      1,
      expect.stringContaining(`ask Stripe about ${made.lost}, which is unknown for 2 h`),
    ]);

    await eventually(
      async () => {
        const { exitCode } = await world.json(`payments resolve ${made.lost} --wait 5s --reason "customer asks" --yes`);
        expect(exitCode).toBe(0);
      },
      { timeoutMs: 30_000 },
    );
    const { value } = await world.json<OperatorPaymentDetail>(`payments show ${made.lost}`);
    expect(value).toMatchObject({ status: 'succeeded', stripe_payment_intent: expect.stringMatching(/^pi_/), work: null });
    const charged = world.simulator.world.paymentIntents.all().filter(({ metadata }) => metadata['payment_id'] === made.lost);
    expect(charged.map(({ status }) => status)).toEqual(['succeeded']);
    const actions = await world.query(`select distinct action, reason from payments.operator_actions where target = $1`, [made.lost]);
    expect(actions).toEqual([{ action: 'payment.resolve', reason: 'customer asks' }]);
  }, 40_000);
});
