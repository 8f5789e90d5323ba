import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Failpoints } from '@tidegate/database/failpoints';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { billingFailpoints } from '../src/failpoints.js';
import { rebuildSubscriptionsAndInvoices } from '../src/observed/observed.rebuild.js';
import { type SubscriptionWorld, subscriptionWorld } from './subscription-world.js';

jest.setTimeout(60_000);

const DAY_MS = 86_400_000;

describe('Subscriptions and invoices, as Stripe tells of them', () => {
  let world: SubscriptionWorld;
  const lines: string[] = [];
  let dyingAt: string | null = null;
  let died = 0;
  const dying: Failpoints = {
    hit: async (name) => {
      if (name !== dyingAt) return;
      died += 1;
      throw new Error(`died at ${name}`);
    },
  };
  beforeAll(async () => {
    world = await subscriptionWorld({ onLine: (line) => void lines.push(line) });
  });
  afterEach(() => world.simulator.clearFaults());
  afterAll(() => world.close());

  const logged = (event: string) =>
    lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter((line) => line['event'] === event);
  const paymentOf = async (intent: string | undefined) => {
    const { data } = world.json<{ data: { stripe_payment_intent: string; status: string; origin: string }[] }>(
      await world.send(RPC.paymentList, { query: { limit: '100' } }),
    );
    return data.find((one) => one.stripe_payment_intent === intent);
  };

  it('are shown with state and period, told once, and their money is a payment of the subscription', async () => {
    const id = await world.subscribed();
    await world.tell();
    const seen = await world.seen(id);
    expect(seen).toMatchObject({ id, object: 'subscription', status: 'active', dunning: null, items: [{ quantity: 1 }] });
    expect(Date.parse(seen.current_period_end ?? '')).toBeGreaterThan(world.clock.now().getTime());
    const [invoice, ...others] = await world.invoices({ subscription: id });
    expect(others).toEqual([]);
    expect(invoice).toMatchObject({ id: seen.latest_invoice, status: 'paid', amount_paid: 3000, dunning: null });
    expect(await paymentOf(invoice?.payment_intents[0])).toMatchObject({ status: 'succeeded', origin: 'subscription' });
    expect(await world.factsOf(id)).toEqual(['subscription.created', 'subscription.active']);
    expect(await world.factsOf(invoice?.id ?? '')).toEqual(['invoice.created', 'invoice.paid']);
    expect(logged('subscription_state_changed')).toEqual([expect.objectContaining({ subscription_id: id, to: 'active' })]);
    expect(await world.metric('subscriptions', 'status="active"')).toEqual([1]);
  });

  it('fall behind when the card fails, and are tried again until nobody tries any more', async () => {
    const customer = await world.customer();
    const id = await world.subscribed({ customer });
    await world.tell();
    await world
      .stripe(`payment_methods/pm_card_chargeCustomerFail/attach`, { customer })
      .then((method) => world.stripe(`customers/${customer}`, { 'invoice_settings[default_payment_method]': method['id'] as string }));
    world.passMonth();
    world.advance(2 * 3_600_000);
    await world.tell();
    const past = await world.seen(id);
    expect(past).toMatchObject({
      status: 'past_due',
      dunning: { state: 'retrying', attempt_count: 1, amount_remaining: 3000, failure: { code: 'card_declined' } },
    });
    expect(past.dunning?.next_payment_attempt).not.toBeNull();
    expect(await world.invoices({ dunning: 'retrying', subscription: id })).toHaveLength(1);
    expect(await world.metric('invoices_dunning', 'state="retrying"')).toEqual([1]);
    expect((await world.metric('invoices_dunning_oldest_seconds', 'state="retrying"'))[0]).toBeGreaterThan(0);
    expect(await world.factsOf(past.dunning?.invoice ?? '')).toContain('invoice.payment_failed');
    expect(logged('invoice_payment_failed')).toContainEqual(expect.objectContaining({ subscription_id: id, dunning: 'retrying' }));

    for (let day = 0; day < 30; day += 5) world.advance(5 * DAY_MS);
    await world.tell();
    const { status } = world.subscriptionAtStripe(id)!;
    expect(await world.seen(id)).toMatchObject({ status, dunning: { state: 'needs_payment', next_payment_attempt: null } });
    expect(['unpaid', 'past_due', 'canceled']).toContain(status);
  });

  it('wait for a customer who has to authenticate, and are asked for when somebody reads them', async () => {
    const customer = await world.customer('pm_card_threeDSecure2Required');
    const id = await world.subscribed({ customer });
    await world.tell();
    const waiting = await world.seen(id);
    expect(waiting).toMatchObject({ status: 'incomplete', dunning: { state: 'action_required' } });
    expect(await world.factsOf(waiting.latest_invoice ?? '')).toEqual(['invoice.created', 'invoice.finalized', 'invoice.action_required']);
    const [invoice] = await world.invoices({ subscription: id });
    expect(await paymentOf(invoice?.payment_intents[0])).toMatchObject({ status: 'requires_action' });

    await world.dashboard('complete_action', { payment_intent: invoice?.payment_intents[0], outcome: 'pass' });
    world.lost();
    world.advance(6000);
    await world.seen(id);
    await world.carryOn();
    expect(await world.seen(id)).toMatchObject({ status: 'active' });
  });

  it('are not asked for more than once in 5 s, however often somebody reads them while Stripe fails', async () => {
    const id = await world.subscribed({}, 'pm_card_threeDSecure2Required');
    await world.tell();
    await world.settle();
    world.advance(6000);
    const asked = () => world.simulator.world.requests.all().filter(({ method, path }) => method === 'GET' && path.endsWith(id)).length;
    const before = asked();
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/subscriptions/:id', times: 0 });
    const read = async (times: number) => {
      for (let n = 0; n < times; n += 1) {
        await world.seen(id);
        await world.carryOn();
      }
      return asked() - before;
    };
    expect(await read(5)).toBe(1);
    world.advance(60_000);
    expect(await read(1)).toBe(2);
  });

  it('end where Stripe has them whatever order the news comes in, also with old looks and with what deliveries show', async () => {
    const id = await world.subscribed();
    await world.stripe(`subscriptions/${id}`, { cancel_at_period_end: 'true' });
    const early = await Promise.all(world.fresh().map((message) => world.asShown(message)));
    const rendered = world.fresh();
    world.advance(1000);
    await world.stripe(`subscriptions/${id}`, { cancel_at_period_end: 'false' });
    const late = await Promise.all(world.fresh().map((message) => world.asShown(message)));
    for (const message of [...late.toReversed(), ...early.toReversed(), ...rendered.toReversed(), ...early]) await world.deliver(message);
    world.lost();
    await world.settle();
    expect(await world.seen(id)).toMatchObject({ status: 'active', cancel_at_period_end: false, cancel_at: null });
    const [invoice] = await world.invoices({ subscription: id });
    expect(invoice).toMatchObject({ status: 'paid' });
  });

  it('are as Stripe has them also after a clock went an hour ahead and came back', async () => {
    const id = await world.subscribed();
    const [ahead] = await Promise.all(
      world
        .fresh()
        .filter(({ aggregate }) => aggregate === id)
        .map(world.asShown),
    );
    if (!ahead) throw new Error('Nothing was told');
    await world.tell();
    await world.settle();
    const occurred_at = new Date(world.clock.now().getTime() + 3_600_000).toISOString();
    await world.deliver({ ...ahead, envelope: { ...ahead.envelope, occurred_at } });
    await world.stripe(`subscriptions/${id}`, { cancel_at_period_end: 'true' });
    await world.tell();
    await world.settle();
    expect(await world.seen(id)).toMatchObject({ cancel_at_period_end: true });
  });

  it('are void, given up, or gone as drafts', async () => {
    const customer = await world.customer();
    const bill = async () => {
      await world.stripe('invoiceitems', { customer, amount: '900', currency: 'usd' });
      const form = { customer, pending_invoice_items_behavior: 'include', auto_advance: 'false' };
      return (await world.stripe('invoices', form))['id'] as string;
    };
    const [voided, given, dropped] = [await bill(), await bill(), await bill()];
    for (const id of [voided, given]) await world.stripe(`invoices/${id}/finalize`, {});
    await world.tell();
    await world.stripe(`invoices/${voided}/void`, {});
    await world.stripe(`invoices/${given}/mark_uncollectible`, {});
    await fetch(`${world.simulator.url}/v1/invoices/${dropped}`, {
      method: 'DELETE',
      headers: { authorization: 'Bearer sk_test_simulator' },
    });
    await world.tell();
    await world.settle();
    const stateOf = async (id: string) => (await world.invoices({ customer })).find((one) => one.id === id);
    expect(await stateOf(voided)).toMatchObject({ status: 'void', dunning: null, subscription: null });
    expect(await stateOf(given)).toMatchObject({ status: 'uncollectible', dunning: 'given_up' });
    expect(await stateOf(dropped)).toMatchObject({ status: 'deleted', dunning: null });
  });

  it.each(billingFailpoints)('are looked at by another when the process dies at %s', async (name) => {
    const replica = world.start(dying);
    const id = await world.subscribed({}, 'pm_card_threeDSecure2Required');
    await world.tell();
    await world.dashboard('edit', { id, changes: { status: 'active' }, silent: true });
    world.advance(6000);
    await world.seen(id);
    [dyingAt, died] = [name, 0];
    await replica.parts.carryOnObjectsOnce(60_000);
    dyingAt = null;
    expect(died).toBe(1);
    await world.vanish();
    await world.settle(60_000);
    expect(await world.seen(id)).toMatchObject({ status: 'active' });
    expect((await world.factsOf(id)).filter((fact) => fact === 'subscription.active')).toHaveLength(1);
  });

  it('are nobody else’s, and a page of them goes on where it ended', async () => {
    const id = await world.subscribed();
    await world.tell();
    expect((await world.send(RPC.subscriptionGet, { tenant: 'other', params: { id } })).status).toBe(404);
    expect(world.json<{ data: unknown[] }>(await world.send(RPC.invoiceList, { tenant: 'other' })).data).toEqual([]);
    interface Page {
      data: { id: string }[];
      next_cursor: string;
    }
    const first = world.json<Page>(await world.send(RPC.subscriptionList, { query: { limit: '1' } }));
    const next = world.json<Page>(await world.send(RPC.subscriptionList, { query: { limit: '1', cursor: first.next_cursor } }));
    expect(first.data).toHaveLength(1);
    expect(next.data).not.toEqual(first.data);
    expect((await world.send(RPC.invoiceList, { query: { cursor: 'nonsense' } })).status).toBe(400);
  });

  it('come out equal when both tables are filled again from the events', async () => {
    const all = async () => [
      await world.db.selectFrom('subscriptions').selectAll().orderBy('id').execute(),
      await world.db.selectFrom('invoices').selectAll().orderBy('id').execute(),
    ];
    const before = await all();
    await world.db.deleteFrom('subscriptions').execute();
    await world.db.updateTable('invoices').set({ status: 'draft' }).execute();
    expect(await rebuildSubscriptionsAndInvoices(world.db)).toBe(before.flat().length);
    expect(await all()).toEqual(before);
  });
});

describe('Under UNMARKED_INTENTS=foreign', () => {
  it('only what names a tenant is ours, and an invoice speaks for its intent', async () => {
    const world = await subscriptionWorld({ unmarked: 'foreign' });
    try {
      const [ours, theirs] = [await world.subscribed({ 'metadata[tenant_id]': 'default' }), await world.subscribed()];
      await world.tell();
      expect((await world.send(RPC.subscriptionGet, { params: { id: theirs } })).status).toBe(404);
      expect(await world.seen(ours)).toMatchObject({ status: 'active' });
      const { data } = world.json<{ data: { origin: string }[] }>(await world.send(RPC.paymentList, {}));
      expect(data).toEqual([expect.objectContaining({ origin: 'subscription', amount_captured: 3000 })]);
    } finally {
      await world.close();
    }
  });
});

describe('The payment of an open invoice', () => {
  let world: SubscriptionWorld;
  beforeAll(async () => {
    world = await subscriptionWorld({ windowMs: 3_600_000 });
  });
  afterAll(() => world.close());

  it.each([
    ['Stripe turned away', 'rate_limit', 503],
    ['Stripe gave no answer to', 'reset_before', 200],
  ] as const)('that a confirm could not pay, which %s until its time was up, can be confirmed again', async (_, fault, status) => {
    const id = await world.subscribed({ payment_behavior: 'default_incomplete' }, null);
    await world.tell();
    const [invoice] = await world.invoices({ subscription: id });
    const intent = invoice?.payment_intents[0] ?? '';
    const { id: payment } = await world.db
      .selectFrom('payments')
      .select('id')
      .where('stripe_payment_intent', '=', intent)
      .executeTakeFirstOrThrow();
    world.simulator.addFault({ fault, route: 'POST /v1/payment_intents/:id/confirm', times: 0 });
    expect((await world.confirm(payment, { payment_method: 'pm_card_visa' }, `${fault}-1`)).status).toBe(status);
    world.simulator.clearFaults();
    world.advance(3_601_000);
    await world.settle(3 * 3_600_000);

    const first = await world.confirm(payment, { payment_method: 'pm_card_visa' }, `${fault}-1`);
    expect([first.status, world.json(first).status]).toEqual([200, 'requires_payment_method']);
    expect(await world.get(payment)).toMatchObject({ status: 'requires_payment_method', amount_captured: 0 });
    const second = await world.confirm(payment, { payment_method: 'pm_card_visa' }, `${fault}-2`);
    expect([second.status, world.json(second).status]).toEqual([200, 'succeeded']);
    expect(world.invoicesAtStripe(id)).toMatchObject([{ status: 'paid' }]);
  });
});
