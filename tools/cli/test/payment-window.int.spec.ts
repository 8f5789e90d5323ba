import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OperatorCheckoutView } from '@tidegate/contracts/ops/checkouts';
import type { CheckoutView, WindowReport } from '@tidegate/contracts/responses';
import { eventually } from '@tidegate/test-harness/eventually';
import { operatorWorld, type OperatorWorld } from './operator-world.js';

let world: OperatorWorld;
/** All that a person on call has: a key for operating, of another tenant than the checkouts. */
let ops: { TIDEGATE_API_KEY: string };
beforeAll(async () => {
  world = await operatorWorld({ virtualClock: true, deliveries: true, payments: { LATE_SUCCESS_POLICY: 'hold' } });
  ops = { TIDEGATE_API_KEY: await world.newKey({ tenant: 'other', scopes: ['ops'] }) };
}, 120_000);
afterAll(() => world?.stop());

const open = (change: object = {}) =>
  world.post<CheckoutView>('/v1/checkout-sessions', {
    line_items: [{ name: 'Ticket', quantity: 1, unit_amount: 4200 }],
    currency: 'usd',
    success_url: 'https://shop.example/thanks',
    cancel_url: 'https://shop.example/cart',
    ...change,
  });
const asOperator = (line: string) => world.tidegate(line, ops);
const written = (target: string) =>
  world.query('select actor, action, reason from payments.operator_actions where target = $1 order by at', [target]);
const operator = () => `key:${ops.TIDEGATE_API_KEY.split('_')[2]}`;

describe('When a window is overridden', () => {
  it('ends at once, and opens again on another page, by the key for operating, and says who and why', async () => {
    const { id, url } = await open();
    const ended = await asOperator(`payment-window override ${id} --expire --reason "auction cancelled" --yes`);
    expect([ended.exitCode, ended.out]).toEqual([0, expect.stringMatching(/^status +expired$/m)]);
    const asked = await asOperator(`payment-window override ${id} --extend --for 6h --reason "bank was down"`);
    expect([asked.exitCode, asked.out]).toEqual([
      1,
      expect.stringMatching(new RegExp(`open ${id} until .+ \\(of default; it is expired, `)),
    ]);
    const { exitCode, out } = await asOperator(`payment-window override ${id} --extend --for 6h --reason "bank was down" --yes --json`);
    const { result } = JSON.parse(out) as { result: CheckoutView };
    expect([exitCode, result.status]).toEqual([0, 'open']);
    expect(result.url).not.toBe(url);
    expect(Date.parse(result.window_ends_at) - Date.now()).toBeGreaterThan(5.9 * 3_600_000);
    expect(await written(id)).toEqual([
      { actor: operator(), action: 'payment_window.expire', reason: 'auction cancelled' },
      { actor: operator(), action: 'payment_window.extend', reason: 'bank was down' },
    ]);
    const line = { event: 'operator_action', actor: operator(), action: 'payment_window.extend', reason: 'bank was down' };
    expect(world.logged).toContainEqual(expect.objectContaining({ ...line, payment_session_id: id }));
  });

  it('must be told what to do', async () => {
    const { exitCode, err } = await world.tidegate('payment-window override cks_4f1c2b7a9d3e5f60 --reason x --yes');
    expect([exitCode, err]).toEqual([1, 'Failed: Say --extend or --expire.\n']);
  });
});

describe('When windows are reconciled', () => {
  it('asks about those that are over, and tells what came of it', async () => {
    await open();
    const { exitCode, value } = await world.json<{ result: WindowReport }>('payment-window reconcile --reason "alert" --yes');
    expect([exitCode, value.result]).toMatchObject([0, { overdue: 0, unresolved: [] }]);
    const { out } = await world.tidegate('payment-window reconcile --reason "alert" --yes');
    expect(out).toMatch(/^overdue +0$/m);
  });
});

describe('When a checkout is paid too late and held', () => {
  const paidLate = async (): Promise<OperatorCheckoutView> => {
    const { id, stripe_checkout_session: session } = await open({ window_hours: 0.5 });
    world.simulator.addFault({ fault: 'error_503', route: 'POST /v1/checkout/sessions/:id/expire', times: 0 });
    world.simulator.advanceClock(31 * 60);
    const paid = await fetch(`${world.simulator.url}/__dashboard/pay_checkout`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ session, payment_method: 'pm_card_visa', email: 'payer@example.com' }),
    });
    expect(paid.status).toBe(200);
    const checkout = await eventually(async () => {
      const { value } = await world.json<OperatorCheckoutView>(`checkouts show ${id}`);
      expect(value).toMatchObject({ late_success: 'held', payment: expect.any(String) });
      return value;
    });
    world.simulator.clearFaults();
    return checkout;
  };

  it('is given back by the key for operating once, after a preview, and says who and why', async () => {
    const { id, payment } = await paidLate();
    const asked = await asOperator(`checkouts late-success ${id} --refund --reason "sold to somebody else"`);
    expect([asked.exitCode, asked.out]).toEqual([
      1,
      expect.stringMatching(
        new RegExp(`give back 42.00 USD that ${id} of default got after its window had ended .+ \\(${payment}\\)\nNothing was changed`),
      ),
    ]);
    expect(await written(id)).toEqual([]);
    const given = await asOperator(`checkouts late-success ${id} --refund --reason "sold to somebody else" --yes`);
    expect([given.exitCode, given.out]).toEqual([0, expect.stringMatching(/^late success +refunded$/m)]);
    expect(await written(id)).toEqual([{ actor: operator(), action: 'checkout.late_success.refund', reason: 'sold to somebody else' }]);
    const again = await asOperator(`checkouts late-success ${id} --accept --reason "changed my mind" --yes`);
    expect([again.exitCode, again.err]).toEqual([1, 'Failed: Nothing is held there: it is refunded.\n']);
    expect(await written(id)).toHaveLength(1);
  });

  it('is told with 2 when Stripe has not got the refund yet', async () => {
    const { id } = await paidLate();
    world.simulator.addFault({ fault: 'error_503', route: 'POST /v1/refunds', times: 0 });
    const { exitCode, out } = await asOperator(`checkouts late-success ${id} --refund --wait 0s --reason "sold to somebody else" --yes`);
    expect([exitCode, out]).toEqual([2, expect.stringMatching(/^late success +refunding$/m)]);
    world.simulator.clearFaults();
  });

  it('must be told what to do', async () => {
    const { exitCode, err } = await asOperator('checkouts late-success cks_4f1c2b7a9d3e5f60 --accept --refund --reason x --yes');
    expect([exitCode, err]).toEqual([1, 'Failed: Say --accept or --refund.\n']);
  });
});
