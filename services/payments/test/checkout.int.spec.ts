import { RPC } from '@tidegate/contracts/rpc/routes';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql, type Transaction } from 'kysely';
import { rebuildCheckouts } from '../src/checkout/checkout.rebuild.js';
import { CheckoutMoved, commit, load } from '../src/checkout/checkout.store.js';
import { foreignPaymentId } from '../src/idempotency/identity.js';
import { type PaymentsTables } from '../src/tables.js';
import { checkoutWorld, type CheckoutWorld } from './checkout-world.js';

jest.setTimeout(60_000);

const HOUR = 3_600_000;

describe('A checkout', () => {
  let world: CheckoutWorld;
  beforeAll(async () => {
    world = await checkoutWorld();
  });
  afterEach(() => world.simulator.clearFaults());
  afterAll(() => world.close());

  it('is opened at Stripe with our ids, and its window is what Stripe is told', async () => {
    const reply = await world.open({ window_hours: 2, metadata: { order: '7' } });
    const checkout = world.view(reply);
    expect(reply.status).toBe(201);
    expect(checkout).toMatchObject({ status: 'open', payment: null, amount_total: 4200, metadata: { order: '7' } });
    expect(checkout.url).toMatch(/^http/);
    const [session] = world.sessionsOf(checkout.id);
    expect(session?.metadata).toEqual({ order: '7', tenant_id: 'default', checkout_id: checkout.id, command_id: expect.any(String) });
    expect(session?.expires_at).toBe(Math.ceil(Date.parse(checkout.window_ends_at) / 1000));
  });

  it('that is paid becomes complete, with a payment of ours whose id follows from the page', async () => {
    const { id, stripe_checkout_session } = await world.opened();
    expect(await world.pay(stripe_checkout_session)).toBe(200);
    await world.tell();
    const payment = foreignPaymentId(null, stripe_checkout_session ?? '');
    // A receipt asks for them as soon as it hears of the success.
    const details = await world.send(RPC.paymentGet, { params: { id: payment }, query: { expand: 'details' } });
    expect(JSON.parse(details.body)).toMatchObject({
      details: { receipt_email: 'payer@example.com', line_items: [{ name: 'Vase', quantity: 2 }] },
    });
    await world.settle();
    expect(await world.seen(id)).toMatchObject({ status: 'complete', payment, payment_status: 'paid', late_success: null, url: null });
    expect(await world.get(payment)).toMatchObject({ status: 'succeeded', amount_captured: 4200, origin: 'checkout' });
    expect(await world.factsOf(id)).toEqual(['opened', 'completed']);
  });

  it('that two tabs pay at once is charged once', async () => {
    const { id, stripe_checkout_session } = await world.opened();
    const statuses = await Promise.all([world.pay(stripe_checkout_session), world.pay(stripe_checkout_session)]);
    expect(statuses.toSorted()).toEqual([200, 400]);
    await world.tell();
    await world.settle();
    expect(world.chargesOf(id)).toHaveLength(1);
    expect(await world.seen(id)).toMatchObject({ status: 'complete', payment_status: 'paid' });
  });

  it('whose payer is redirected before the webhook comes is complete by asking, and the webhook adds nothing', async () => {
    const { id, stripe_checkout_session } = await world.opened();
    await world.pay(stripe_checkout_session);
    expect((await world.seen(id)).status).toBe('open');
    await world.carryOn();
    const asked = await world.seen(id);
    expect(asked).toMatchObject({ status: 'complete', payment_status: 'paid' });
    expect((await world.get(asked.payment ?? '')).status).toBe('succeeded');
    const facts = await world.factsOf(id);
    await world.tell();
    await world.settle();
    expect(await world.factsOf(id)).toEqual(facts);
    expect(world.chargesOf(id)).toHaveLength(1);
  });

  it('whose redirect and webhook race is completed once', async () => {
    const { id, stripe_checkout_session } = await world.opened();
    await world.pay(stripe_checkout_session);
    await world.seen(id);
    await Promise.all([world.carryOn(), world.tell().catch(() => world.tell())]);
    await world.settle();
    expect(await world.factsOf(id)).toEqual(['opened', 'completed']);
    expect(await world.seen(id)).toMatchObject({ status: 'complete', payment_status: 'paid' });
  });

  it('is not touched by news that comes backwards and three times', async () => {
    const { id, stripe_checkout_session } = await world.opened();
    await world.pay(stripe_checkout_session);
    await world.tell((news) => [...news, ...news, ...news].toReversed());
    await world.settle();
    expect(await world.factsOf(id)).toEqual(['opened', 'completed']);
    expect(await world.seen(id)).toMatchObject({ status: 'complete', payment_status: 'paid' });
    expect(world.chargesOf(id)).toHaveLength(1);
  });

  it("whose page Stripe's list does not show yet has one payment all the same, under the id that follows from the page", async () => {
    const { id, stripe_checkout_session } = await world.opened();
    await world.pay(stripe_checkout_session);
    world.simulator.addFault({ fault: 'list_lag', route: 'GET /v1/checkout/sessions', times: 1 });
    await world.tell().catch(() => world.tell());
    await world.settle();
    const { payment } = await world.seen(id);
    expect(payment).toBe(foreignPaymentId(null, stripe_checkout_session ?? ''));
    expect(await world.get(payment ?? '')).toMatchObject({ status: 'succeeded', origin: 'checkout' });
  });

  it('that is declined stays open, and its payment tells the decline', async () => {
    const { id, stripe_checkout_session } = await world.opened();
    expect(await world.pay(stripe_checkout_session, 'pm_card_visa_chargeDeclined')).toBe(402);
    await world.tell();
    expect((await world.seen(id)).status).toBe('open');
    const payment = await world.get(foreignPaymentId(null, stripe_checkout_session ?? ''));
    expect(payment).toMatchObject({ status: 'requires_payment_method', origin: 'checkout', failure: { code: 'card_declined' } });
    expect(await world.pay(stripe_checkout_session)).toBe(200);
    await world.tell();
    await world.settle();
    expect(await world.seen(id)).toMatchObject({ status: 'complete', payment: payment.id, payment_status: 'paid' });
    expect(world.chargesOf(id)).toHaveLength(1);
  });

  it('whose payment was declined cannot be charged behind its page', async () => {
    const { id, stripe_checkout_session } = await world.opened();
    await world.pay(stripe_checkout_session, 'pm_card_visa_chargeDeclined');
    await world.tell();
    const payment = foreignPaymentId(null, stripe_checkout_session ?? '');
    const reply = await world.confirm(payment, { payment_method: 'pm_card_visa', return_url: 'https://shop.example/back' });
    expect([reply.status, JSON.parse(reply.body)]).toMatchObject([422, { code: 'payments.illegal_state' }]);
    expect(world.chargesOf(id)).toEqual([]);
    expect(await world.seen(id)).toMatchObject({ status: 'open', payment_status: 'unpaid' });
  });

  it.each([
    ['succeeds', 'pm_usBankAccount_success', 'paid', 'payment_succeeded'],
    ['fails', 'pm_usBankAccount_insufficientFunds', 'failed', 'payment_failed'],
  ])('by a delayed method that %s is complete first and settled later', async (_, method, settled, fact) => {
    const { id, stripe_checkout_session } = await world.opened();
    expect(await world.pay(stripe_checkout_session, method)).toBe(200);
    await world.tell();
    await world.carryOn();
    expect(await world.seen(id)).toMatchObject({ status: 'complete', payment_status: 'awaited' });
    world.advance(8 * 24 * HOUR);
    await world.tell();
    await world.settle();
    expect(await world.seen(id)).toMatchObject({ status: 'complete', payment_status: settled });
    expect(await world.factsOf(id)).toEqual(['opened', 'completed', fact]);
  });

  it('that is asked to expire is expired at Stripe, again and again with one answer', async () => {
    const { id, stripe_checkout_session } = await world.opened();
    const first = await world.expire(id, 'expire-1');
    expect(first.status).toBe(200);
    expect(world.view(first)).toMatchObject({ status: 'expired', url: null });
    expect((await world.expire(id, 'expire-1')).body).toBe(first.body);
    expect(world.view(await world.expire(id)).status).toBe('expired');
    expect(await world.pay(stripe_checkout_session)).toBe(400);
    expect(await world.factsOf(id)).toEqual(['opened', 'expired']);
  });

  it('that turns out complete is never taken for cancelled', async () => {
    const { id, stripe_checkout_session } = await world.opened();
    await world.pay(stripe_checkout_session);
    const refused = await world.expire(id);
    expect(refused.status).toBe(422);
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'payments.illegal_state' });
    expect(await world.seen(id)).toMatchObject({ status: 'complete', payment_status: 'paid' });
    await world.tell();
    await world.settle();
    expect(await world.factsOf(id)).toEqual(['opened', 'completed']);
  });

  it("of another tenant is not there, and neither is one's customer", async () => {
    const { id } = await world.opened();
    for (const subject of [RPC.checkoutGet, RPC.checkoutExpire, RPC.checkoutWindow, RPC.checkoutLateSuccess]) {
      const body =
        { [RPC.checkoutWindow]: { action: 'expire', reason: 'x' }, [RPC.checkoutLateSuccess]: { action: 'accept', reason: 'x' } }[
          subject as string
        ] ?? {};
      expect((await world.send(subject, { tenant: 'other', params: { id }, body })).status).toBe(404);
    }
    expect((await world.open({ customer: 'cus_nobody' })).status).toBe(404);
    expect(JSON.parse((await world.send(RPC.checkoutList, { tenant: 'other' })).body)).toMatchObject({ data: [] });
  });

  it('stands in a list with filters and cursors', async () => {
    const ids = [(await world.opened()).id, (await world.opened()).id, (await world.opened()).id];
    await world.expire(ids[0] ?? '');
    const list = async (query: Record<string, string>) =>
      JSON.parse((await world.send(RPC.checkoutList, { query })).body) as {
        data: { id: string }[];
        has_more: boolean;
        next_cursor: string | null;
      };
    const first = await list({ limit: '2' });
    expect(first.has_more).toBe(true);
    const second = await list({ limit: '2', cursor: first.next_cursor ?? '' });
    expect([...first.data, ...second.data].map((one) => one.id).slice(0, 3)).toEqual(ids.toReversed());
    const expired = (await list({ status: 'expired', limit: '100' })).data.map((one) => one.id);
    expect(expired).toContain(ids[0]);
    expect(expired).not.toContain(ids[1]);
  });

  it('is opened once, whatever number of repetitions arrive at two replicas', async () => {
    const second = world.start();
    expect(second).toBeDefined();
    const replies = await Promise.all(Array.from({ length: 12 }, (_, i) => world.open({}, { key: 'many' }, i % 2)));
    expect(new Set(replies.map((reply) => reply.body)).size).toBe(1);
    expect(world.sessionsOf(world.view(replies[0]!).id)).toHaveLength(1);
    expect((await world.open({ window_hours: 3 }, { key: 'many' })).status).toBe(422);
  });

  it('is refused for what Stripe would refuse, with nothing sent', async () => {
    const small = await world.open({ line_items: [{ name: 'Pin', quantity: 1, unit_amount: 10 }] });
    expect(JSON.parse(small.body)).toMatchObject({ code: 'payments.amount_too_small' });
    expect((await world.open({ window_hours: 25 })).status).toBe(400);
    expect((await world.open({}, { key: null })).status).toBe(400);
  });

  it('that news and a run of its own change in the same moment is changed by one, and the other is told to decide again', async () => {
    const { id } = await world.opened();
    const before = await load(world.db, id);
    const now = world.clock.now();
    const metadata = { correlation_id: 'test', causation_id: null, traceparent: null };
    const change = (tx: Transaction<PaymentsTables>, command_id: string) =>
      commit(tx, { checkoutId: id, before, events: [{ type: 'CommandAccepted', data: { command_id } }], now, metadata });
    const { news, run } = await world.db.transaction().execute(async (tx) => {
      await tx.selectFrom('checkouts').select('id').where('id', '=', id).forUpdate().execute();
      const meanwhile = world.db
        .transaction()
        .execute((other) => change(other, 'run'))
        .catch((error: unknown) => error);
      await eventually(async () => {
        const { rows } = await sql`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`.execute(
          world.db,
        );
        expect(rows).toHaveLength(1);
      });
      return { news: await change(tx, 'news'), run: () => meanwhile };
    });
    expect(news.version).toBe(before.version + 1);
    expect(await run()).toBeInstanceOf(CheckoutMoved);
  });

  it('comes out equal when its table is filled again from the events', async () => {
    await world.settle();
    const rows = () => sql`SELECT * FROM checkouts ORDER BY id`.execute(world.db).then((result) => result.rows);
    const before = await rows();
    expect(before.length).toBeGreaterThan(10);
    await sql`UPDATE checkouts SET status = 'expired', url = 'wrong', version = 0`.execute(world.db);
    expect(await rebuildCheckouts(world.db)).toBe(before.length);
    expect(await rows()).toEqual(before);
  });
});
