import { type WindowReport } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { sql } from 'kysely';
import { type LatePolicy } from '../src/checkout/checkout.events.js';
import { wishRefresh } from '../src/work/work.store.js';
import { checkoutWorld, type CheckoutWorld } from './checkout-world.js';

jest.setTimeout(60_000);

const HOUR = 3_600_000;
const silent = { fault: 'hang', times: 100 } as const;

describe('The window of a checkout', () => {
  let world: CheckoutWorld;
  beforeAll(async () => {
    world = await checkoutWorld({ deadlineMs: 300, runMs: 1500 });
  });
  afterEach(() => world.simulator.clearFaults());
  afterAll(() => world.close());

  const audited = async (target: string) =>
    (
      await sql<{
        action: string;
        reason: string;
      }>`SELECT action, reason FROM operator_actions WHERE target = ${target} ORDER BY at`.execute(world.db)
    ).rows;
  const reconcile = async () => world.json<WindowReport>(await world.send(RPC.windowReconcile, { body: { reason: 'runbook B' } }));

  it('that ends closes the page at Stripe, once, and is counted', async () => {
    const { id, stripe_checkout_session } = await world.opened({ window_hours: 0.5 });
    const before = await world.metric('payments_window_expired_total');
    world.advance(HOUR / 2 + 1000);
    await world.carryOn();
    expect(await world.seen(id)).toMatchObject({ status: 'expired', url: null });
    expect(await world.pay(stripe_checkout_session)).toBe(400);
    expect(await world.metric('payments_window_expired_total')).toBe(before + 1);
    await world.tell();
    await world.settle();
    expect(await world.factsOf(id)).toEqual(['opened', 'expired']);
    expect(await world.metric('payments_window_expired_total')).toBe(before + 1);
  });

  it('that is not closed while Stripe is silent is seen in a metric, and closed when Stripe answers', async () => {
    const { id } = await world.opened({ window_hours: 0.5 });
    world.simulator.addFault({ ...silent, route: 'POST /v1/checkout/sessions/:id/expire' });
    world.simulator.addFault({ ...silent, route: 'GET /v1/checkout/sessions/:id' });
    world.advance(HOUR / 2 + 90_000);
    await world.carryOn();
    expect((await world.seen(id)).status).toBe('open');
    expect(await world.metric('payments_window_overdue')).toBe(1);
    expect(await world.metric('payments_window_overdue_oldest_seconds')).toBeGreaterThanOrEqual(90);
    expect(await reconcile()).toMatchObject({ overdue: 1, expired: [], complete: [], unresolved: [id] });
    world.simulator.clearFaults();
    await world.settle(5 * 60_000 + 1000);
    expect((await world.seen(id)).status).toBe('expired');
    expect(await world.metric('payments_window_overdue')).toBe(0);
  });

  it('that ends behind an open breaker is seen in metrics, and closed when the breaker is', async () => {
    const { id } = await world.opened({ window_hours: 1 });
    await world.breaker(RPC.breakerIsolate, 'stripe');
    world.advance(HOUR + 1000);
    await world.carryOn();
    expect(await world.metric('job_errors_total', { job: 'payments.carry_on_checkouts', error_type: 'stripe_unavailable' })).toBe(1);
    expect(await world.metric('payments_window_overdue')).toBe(1);
    await world.breaker(RPC.breakerClose, 'stripe');
    await world.settle(5 * 60_000 + 1000);
    expect((await world.seen(id)).status).toBe('expired');
  });

  it('whose place in the schedule is lost is closed by the sweep, or by an operator at once', async () => {
    const ids = [(await world.opened()).id, (await world.opened()).id];
    await sql`DELETE FROM payment_work`.execute(world.db);
    world.advance(23 * HOUR + 1000);
    expect(await world.parts.sweepWindowsOnce()).toBe(2);
    expect(await world.parts.carryOnObjectsOnce(60_000)).toBe(2);
    for (const id of ids) expect((await world.seen(id)).status).toBe('expired');

    const third = await world.opened();
    await sql`DELETE FROM payment_work`.execute(world.db);
    world.advance(23 * HOUR + 1000);
    expect(await reconcile()).toMatchObject({ overdue: 1, expired: [third.id], unresolved: [] });
    expect(await audited('overdue')).toContainEqual({ action: 'payment_window.reconcile', reason: 'runbook B' });
  });

  it('that is extended has a fresh page, and the old tab can no longer pay', async () => {
    const { id, stripe_checkout_session: old, url } = await world.opened({ window_hours: 1 });
    const until = new Date(world.clock.now().getTime() + 20 * HOUR).toISOString();
    const reply = await world.window(id, { action: 'extend', until }, 'extend-1');
    expect(reply.status).toBe(200);
    const extended = world.view(reply);
    expect(extended).toMatchObject({ status: 'open', window_ends_at: until });
    expect(extended.url).not.toBe(url);
    expect(await world.pay(old)).toBe(400);
    expect((await world.window(id, { action: 'extend', until }, 'extend-1')).body).toBe(reply.body);
    expect(await audited(id)).toEqual([{ action: 'payment_window.extend', reason: 'the payer asked' }]);

    world.advance(2 * HOUR);
    expect(await world.pay(extended.stripe_checkout_session)).toBe(200);
    await world.tell((news) => news.toReversed());
    await world.settle();
    expect(await world.seen(id)).toMatchObject({ status: 'complete', late_success: null });
    expect(world.chargesOf(id)).toHaveLength(1);
    expect(await world.factsOf(id)).toEqual(['opened', 'extended', 'opened', 'completed']);
  });

  it('cannot be extended once the old tab has paid: one charge, and no second page', async () => {
    const { id, stripe_checkout_session } = await world.opened();
    expect(await world.pay(stripe_checkout_session)).toBe(200);
    const refused = await world.window(id, { action: 'extend' });
    expect(refused.status).toBe(422);
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'payments.illegal_state' });
    await world.tell();
    await world.settle();
    expect(world.sessionsOf(id)).toHaveLength(1);
    expect(world.chargesOf(id)).toHaveLength(1);
    expect(await world.seen(id)).toMatchObject({ status: 'complete', payment_status: 'paid' });
  });

  it('is not extended while it is unknown whether the old page is closed', async () => {
    const { id, stripe_checkout_session: old } = await world.opened();
    world.simulator.addFault({ ...silent, route: 'POST /v1/checkout/sessions/:id/expire' });
    world.simulator.addFault({ ...silent, route: 'GET /v1/checkout/sessions/:id' });
    const open = await world.window(id, { action: 'extend' }, 'extend-2');
    expect(open.status).toBe(503);
    expect(world.sessionsOf(id)).toHaveLength(1);
    world.simulator.clearFaults();
    expect(await world.pay(old)).toBe(200);
    await world.settle();
    const answer = await world.window(id, { action: 'extend' }, 'extend-2');
    expect(answer.status).toBe(422);
    expect(world.sessionsOf(id)).toHaveLength(1);
    expect(world.chargesOf(id)).toHaveLength(1);
  });

  it('that has ended can be extended again', async () => {
    const { id } = await world.opened({ window_hours: 1 });
    world.advance(HOUR + 1000);
    await world.carryOn();
    expect((await world.seen(id)).status).toBe('expired');
    const extended = world.view(await world.window(id, { action: 'extend' }));
    expect(extended).toMatchObject({ status: 'open', url: expect.stringMatching(/^http/) });
    expect(await world.pay(extended.stripe_checkout_session)).toBe(200);
    await world.tell();
    await world.settle();
    expect(await world.seen(id)).toMatchObject({ status: 'complete', late_success: null });
  });

  it('can be ended by hand with a reason, and takes no end that Stripe would not', async () => {
    const { id } = await world.opened();
    const far = new Date(world.clock.now().getTime() + 25 * HOUR).toISOString();
    expect((await world.window(id, { action: 'extend', until: far })).status).toBe(400);
    expect((await world.window(id, { action: 'extend', until: '2020-01-01T00:00:00Z' })).status).toBe(400);
    expect((await world.window(id, { action: 'expire', reason: '' })).status).toBe(400);
    expect(world.view(await world.window(id, { action: 'expire' })).status).toBe('expired');
    expect(await audited(id)).toEqual([{ action: 'payment_window.expire', reason: 'the payer asked' }]);
  });

  it('is overridden by an operator of another tenant, once for his key, and written down under his reason', async () => {
    const { id } = await world.opened();
    const override = (body: object, key: string) =>
      world.send(RPC.operatorCheckoutWindow, { tenant: 'operations', params: { id }, key, body: { reason: 'auction cancelled', ...body } });
    expect((await override({ action: 'expire', reason: ' ' }, 'no-reason')).status).toBe(400);
    const ended = await override({ action: 'expire' }, 'end');
    expect(world.view(ended)).toMatchObject({ id, status: 'expired' });
    expect(await override({ action: 'expire' }, 'end')).toEqual(ended);
    const again = world.view(await override({ action: 'extend', reason: 'bank was down' }, 'extend'));
    expect([again.status, world.sessionsOf(id).length]).toEqual(['open', 2]);
    expect(await audited(id)).toEqual([
      { action: 'payment_window.expire', reason: 'auction cancelled' },
      { action: 'payment_window.extend', reason: 'bank was down' },
    ]);
    expect(world.view(await world.window(id, { action: 'expire' }, 'end')).status).toBe('expired');
  });

  it('of a checkout that nobody has is 404 for an operator, too', async () => {
    const nobodys = { params: { id: 'cks_4f1c2b7a9d3e5f60' }, body: { action: 'expire', reason: 'a drill' } };
    expect((await world.send(RPC.operatorCheckoutWindow, nobodys)).status).toBe(404);
    expect((await world.send(RPC.operatorCheckoutLateSuccess, nobodys)).status).toBe(404);
  });
});

describe.each<[LatePolicy, object]>([
  ['accept', { late_success: 'accepted', payment_status: 'paid' }],
  ['refund', { late_success: 'refunded', payment_status: 'paid' }],
  ['hold', { late_success: 'held', payment_status: 'paid' }],
])('A success after the end of the window, by the policy %s', (latePolicy, then) => {
  let world: CheckoutWorld;
  beforeAll(async () => {
    world = await checkoutWorld({ latePolicy });
  });
  afterAll(() => world.close());

  /** Nobody swept in time, and Stripe's page outlives so short a window. */
  async function paidLate(): Promise<{ id: string }> {
    const { id, stripe_checkout_session } = await world.opened({ window_hours: 0.5 });
    await sql`UPDATE payment_work SET due_at = due_at + interval '2 days'`.execute(world.db);
    world.advance(HOUR / 2 + 60_000);
    expect(await world.pay(stripe_checkout_session)).toBe(200);
    return { id };
  }

  it('is what the policy says, whether the news or the sweep tells it', async () => {
    const [byNews, bySweep] = [await paidLate(), await paidLate()];
    await world.tell((news) => news.filter(({ envelope }) => JSON.stringify(envelope.data).includes(byNews.id)));
    await world.settle();
    await world.parts.sweepWindowsOnce();
    await world.settle();
    await world.tell();
    await world.settle();
    for (const { id } of [byNews, bySweep]) {
      expect(await world.seen(id)).toMatchObject({ status: 'complete', ...then });
      expect((await world.factsOf(id)).slice(0, 2)).toEqual(['opened', 'late_success']);
      expect(world.chargesOf(id)).toHaveLength(1);
      const { payment } = await world.seen(id);
      const { amount_refunded } = await world.get(payment ?? '');
      expect(amount_refunded).toBe(latePolicy === 'refund' ? 4200 : 0);
    }
    expect(await world.metric('checkout_sessions_total', { result: 'late_success' })).toBe(2);
    expect(await world.metric('checkout_late_success_held')).toBe(latePolicy === 'hold' ? 2 : 0);
  });

  if (latePolicy === 'refund')
    it.each(['reset_after', 'error_500_after', 'error_500_before', 'cut_body', 'hang'] as const)(
      'is given back once when the refund meets %s',
      async (fault) => {
        const { id } = await paidLate();
        world.simulator.addFault({ fault, route: 'POST /v1/refunds', times: 1 });
        await world.tell();
        await world.settle();
        world.simulator.clearFaults();
        const { payment, late_success } = await world.seen(id);
        const { amount_refunded, stripe_payment_intent } = await world.get(payment ?? '');
        const given = world.simulator.world.refunds.all().filter((one) => one.payment_intent === stripe_payment_intent);
        expect([late_success, amount_refunded, given.map(({ amount }) => amount)]).toEqual(['refunded', 4200, [4200]]);
        expect((await world.factsOf(id)).filter((fact) => fact === 'late_refunded')).toHaveLength(1);
      },
    );

  if (latePolicy === 'refund')
    describe('whose refund fails days later', () => {
      const DAYS = 72 * HOUR;
      afterEach(() => world.simulator.clearFaults());

      const standing = async (id: string) => {
        const { payment, late_success } = await world.seen(id);
        const { amount_refunded, stripe_payment_intent } = await world.get(payment ?? '');
        const made = world.simulator.world.refunds.all().filter((one) => one.payment_intent === stripe_payment_intent);
        return { late_success, amount_refunded, made: made.map(({ amount, status }) => [amount, status]).toSorted() };
      };
      const failsLater = (times: number) => world.simulator.addFault({ fault: 'late_failure', route: 'POST /v1/refunds', ms: DAYS, times });

      it.each(['Stripe tells of it', 'somebody has Stripe asked for the payment'] as const)('is given back again when %s', async (how) => {
        const { id } = await paidLate();
        failsLater(1);
        await world.tell();
        await world.settle();
        expect(await standing(id)).toEqual({ late_success: 'refunded', amount_refunded: 4200, made: [[4200, 'succeeded']] });
        world.advance(DAYS + 60_000);
        if (how === 'Stripe tells of it') await world.tell();
        else await wishRefresh(world.db, (await world.seen(id)).payment ?? '', world.clock.now());
        await world.settle();
        await world.tell();
        await world.settle();
        const made = [
          [4200, 'failed'],
          [4200, 'succeeded'],
        ];
        expect(await standing(id)).toEqual({ late_success: 'refunded', amount_refunded: 4200, made });
        expect((await world.factsOf(id)).filter((fact) => fact === 'late_refunded')).toHaveLength(2);
      });

      it('is given back again also when its process had died before it noted the refund', async () => {
        const { id } = await paidLate();
        failsLater(1);
        let died = 0;
        const dying = world.start({
          async hit(name) {
            if (name !== 'payments.checkout.late_refunded.before_commit') return;
            died += 1;
            throw new Error(`died at ${name}`);
          },
        });
        await world.tell();
        while (died === 0) await dying.parts.carryOnObjectsOnce(60_000);
        expect((await world.seen(id)).late_success).toBe('refunding');
        world.advance(DAYS + 60_000);
        await world.tell();
        await world.vanish();
        await world.settle();
        expect(await standing(id)).toEqual({
          late_success: 'refunded',
          amount_refunded: 4200,
          made: [
            [4200, 'failed'],
            [4200, 'succeeded'],
          ],
        });
      });

      it('is given back again also when nobody looked at its checkout in that moment', async () => {
        const { id } = await paidLate();
        failsLater(1);
        await world.tell();
        await world.settle();
        world.advance(DAYS + 60_000);
        await world.tell();
        await world.db.deleteFrom('payment_work').where('payment_id', '=', id).execute();
        await world.parts.sweepWindowsOnce();
        await world.settle();
        expect(await standing(id)).toMatchObject({ late_success: 'refunded', amount_refunded: 4200 });
        expect((await world.factsOf(id)).filter((fact) => fact === 'late_refunded')).toHaveLength(2);
      });

      it('is given back again also when it was of a part that somebody else had given back', async () => {
        const { id } = await paidLate();
        failsLater(1);
        const payment_intent = world.simulator.world.paymentIntents.all().at(-1)?.id;
        await world.dashboard('refund', { payment_intent, amount: 1000 });
        await world.tell();
        await world.settle();
        expect(await standing(id)).toMatchObject({ late_success: 'refunded', amount_refunded: 4200 });
        world.advance(DAYS + 60_000);
        for (let told = 0; told < 3; told += 1) {
          await world.tell();
          await world.settle();
        }
        const made = [
          [1000, 'failed'],
          [1000, 'succeeded'],
          [3200, 'succeeded'],
        ];
        expect(await standing(id)).toEqual({ late_success: 'refunded', amount_refunded: 4200, made });
        expect((await world.factsOf(id)).filter((fact) => fact === 'late_refunded')).toHaveLength(2);
      });

      it('again and again is left to a person, who sees it among those that are not given back', async () => {
        const { id } = await paidLate();
        failsLater(0);
        for (let failed = 0; failed < 5; failed += 1) {
          await world.tell();
          await world.settle();
          world.advance(DAYS + 60_000);
        }
        await world.tell();
        await world.settle();
        const made = Array.from({ length: 3 }, () => [4200, 'failed']);
        expect(await standing(id)).toEqual({ late_success: 'refunding', amount_refunded: 0, made });
        world.simulator.clearFaults();
        await world.refund((await world.seen(id)).payment ?? '', {}, `by hand ${id}`);
        await world.settle();
        expect(await standing(id)).toEqual({ late_success: 'refunded', amount_refunded: 4200, made: [...made, [4200, 'succeeded']] });
      });
    });

  if (latePolicy !== 'hold') return;

  it.each([
    ['accept', 'the tenant', RPC.checkoutLateSuccess, 'default', 'accepted', 0, 'late_accepted'],
    ['refund', 'the tenant', RPC.checkoutLateSuccess, 'default', 'refunded', 4200, 'late_refunded'],
    ['accept', 'an operator', RPC.operatorCheckoutLateSuccess, 'operations', 'accepted', 0, 'late_accepted'],
    ['refund', 'an operator', RPC.operatorCheckoutLateSuccess, 'operations', 'refunded', 4200, 'late_refunded'],
  ] as const)(
    'that is held waits for a person who may %s it: %s',
    async (action, _, subject, tenant, late_success, amount_refunded, fact) => {
      const { id } = await paidLate();
      await world.tell();
      await world.settle();
      const decide = (key: string) => world.send(subject, { tenant, params: { id }, key, body: { action, reason: 'talked to them' } });
      const first = await decide('first');
      expect(first.status).toBe(200);
      await world.settle();
      expect(await decide('first')).toEqual(first);
      expect((await decide('second')).status).toBe(422);
      expect((await sql`SELECT actor, action, reason FROM operator_actions WHERE target = ${id}`.execute(world.db)).rows).toEqual([
        { actor: 'test', action: `checkout.late_success.${action}`, reason: 'talked to them' },
      ]);
      const seen = await world.seen(id);
      expect(seen).toMatchObject({ status: 'complete', late_success });
      expect((await world.get(seen.payment ?? '')).amount_refunded).toBe(amount_refunded);
      expect((await world.factsOf(id)).at(-1)).toBe(fact);
    },
  );
});

describe('A success in time whose news is late', () => {
  let world: CheckoutWorld;
  beforeAll(async () => {
    world = await checkoutWorld({ latePolicy: 'refund' });
  });
  afterAll(() => world.close());

  it('is in time: what counts is when the payer was through', async () => {
    const { id, stripe_checkout_session } = await world.opened({ window_hours: 1 });
    world.advance(HOUR - 60_000);
    expect(await world.pay(stripe_checkout_session)).toBe(200);
    world.advance(2 * 60_000);
    await world.carryOn();
    await world.tell();
    await world.settle();
    expect(await world.seen(id)).toMatchObject({ status: 'complete', late_success: null, payment_status: 'paid' });
  });

  it('is in time, too, when Stripe tells of it by an event from after the end: the charge is asked for when it was made', async () => {
    const { id, stripe_checkout_session } = await world.opened({ window_hours: 1 });
    world.advance(HOUR - 60_000);
    expect(await world.pay(stripe_checkout_session)).toBe(200);
    world.advance(3 * 60_000);
    await world.tell((news) =>
      news.map((message) => {
        const data = message.envelope.data as { type: string; created: number };
        return { ...message, envelope: { ...message.envelope, data: { ...data, created: data.created + 75 } } };
      }),
    );
    expect((await world.seen(id)).late_success).toBeNull();
    await world.settle();
    expect(await world.seen(id)).toMatchObject({ status: 'complete', late_success: null, payment_status: 'paid' });
    expect(await world.factsOf(id)).toEqual(['opened', 'completed']);
  });
});
