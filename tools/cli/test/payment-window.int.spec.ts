import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CheckoutView, WindowReport } from '@tidegate/contracts/responses';
import { operatorWorld, type OperatorWorld } from './operator-world.js';

let world: OperatorWorld;
beforeAll(async () => {
  world = await operatorWorld();
}, 120_000);
afterAll(() => world?.stop());

const open = () =>
  world.post<CheckoutView>('/v1/checkout-sessions', {
    line_items: [{ name: 'Ticket', quantity: 1, unit_amount: 4200 }],
    currency: 'usd',
    success_url: 'https://shop.example/thanks',
    cancel_url: 'https://shop.example/cart',
  });

describe('When a window is overridden', () => {
  it('ends at once, and opens again on another page', async () => {
    const { id, url } = await open();
    const ended = await world.tidegate(`payment-window override ${id} --expire --reason "auction cancelled" --yes`);
    expect([ended.exitCode, ended.out]).toEqual([0, expect.stringMatching(/^status +expired$/m)]);
    const asked = await world.tidegate(`payment-window override ${id} --extend --for 6h --reason "bank was down"`);
    expect([asked.exitCode, asked.out]).toEqual([1, expect.stringMatching(new RegExp(`open ${id} until .+ \\(it is expired, `))]);
    const { exitCode, value } = await world.json<{ result: CheckoutView }>(
      `payment-window override ${id} --extend --for 6h --reason "bank was down" --yes`,
    );
    expect([exitCode, value.result.status]).toEqual([0, 'open']);
    expect(value.result.url).not.toBe(url);
    expect(Date.parse(value.result.window_ends_at) - Date.now()).toBeGreaterThan(5.9 * 3_600_000);
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
