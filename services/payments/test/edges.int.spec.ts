import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { sql } from 'kysely';
import { DECLINED, type PaymentsWorld, paymentsWorld, VISA } from './payments-world.js';

jest.setTimeout(60_000);

describe('While Stripe takes no calls', () => {
  let world: PaymentsWorld;
  afterEach(() => world.close());

  const work = async () => (await world.db.selectFrom('payment_work').select(['attempt', 'holder']).execute())[0];

  it('a queued payment stays queued and burns no attempt while the breaker is open, and expires unsent', async () => {
    world = await paymentsWorld({ breaker: { threshold: 1, ratio: 0.1, windowMs: 60_000, recoveryMs: 60_000 } });
    const not_after = new Date(world.clock.now().getTime() + 3_600_000).toISOString();
    const queued = () => world.create({ not_after }, { key: 'queued', respondAsync: true });
    const { id } = world.json(await queued());
    world.simulator.addFault({ fault: 'error_500_before', times: 0 });
    await world.create({}, { key: 'trips' });
    await world.db.deleteFrom('payment_work').where('payment_id', '<>', id).execute();
    await world.settle(30 * 60_000);
    expect(await work()).toEqual({ attempt: 0, holder: null });
    expect((await world.metric('job_errors_total', 'job="payments.carry_on",error_type="stripe_unavailable"'))[0]).toBeGreaterThan(0);
    expect([(await queued()).status, (await world.get(id)).status]).toEqual([202, 'queued']);
    world.advance(3_600_000);
    await world.settle();
    expect(world.json(await queued())).toMatchObject({ status: 'canceled' });
    expect(world.intentsOf(id)).toEqual([]);
  });

  it('what was never sent is canceled at once, and stays unsent; all else is refused', async () => {
    world = await paymentsWorld({ breaker: { threshold: 1, ratio: 0.1, windowMs: 60_000, recoveryMs: 60_000 } });
    const held = await world.created({ capture_method: 'manual' });
    const queued = () => world.create({}, { key: 'queued', respondAsync: true });
    const { id } = world.json(await queued());
    world.simulator.addFault({ fault: 'error_500_before', times: 0 });
    await world.create({}, { key: 'trips' });
    expect((await world.cancel(held.id)).status).toBe(503);
    expect((await world.send(RPC.paymentCancel, { tenant: 'other', params: { id } })).status).toBe(503);
    const canceled = await world.cancel(id, {}, 'unsent');
    expect([canceled.status, world.json(canceled).status]).toEqual([200, 'canceled']);
    expect(world.json(await queued()).status).toBe('canceled');
    expect(await world.db.selectFrom('payment_work').select('payment_id').where('payment_id', '=', id).execute()).toEqual([]);
    expect((await world.cancel(id, {}, 'unsent')).body).toBe(canceled.body);
    expect(world.intentsOf(id)).toEqual([]);
  });

  it('requests do not call it before the time that it asked for', async () => {
    world = await paymentsWorld({ runMs: 1300, answerMs: 1500 });
    const limit = { fault: 'rate_limit', route: 'POST /v1/payment_intents/:id/confirm', times: 0 } as const;
    world.simulator.addFault(limit);
    expect((await world.create({}, { key: 'limited' })).status).toBe(503);
    const payment = (await world.db.selectFrom('payments').select('id').executeTakeFirstOrThrow()).id;
    const replies = await Promise.all([world.cancel(payment), world.create({}, { key: 'limited' })]);
    expect(replies.map((reply) => reply.status)).toEqual([503, 409]);
    expect(world.simulator.world.faults.list()[0]?.hits).toBe(1);
    world.simulator.clearFaults();
    await world.settle();
    expect((await world.get(payment)).status).toBe('succeeded');
  });

  it('a request that takes a payment over is answered in time all the same', async () => {
    world = await paymentsWorld({ runMs: 300, answerMs: 600, deadlineMs: 4000 });
    world.start({
      hit: async (name) => (name === 'payments.create.confirm.before_call' ? Promise.reject(new Error('dies here')) : undefined),
    });
    await world.create({}, {}, 1);
    const payment = (await world.db.selectFrom('payments').select('id').executeTakeFirstOrThrow()).id;
    await sql`UPDATE payment_work SET lease_until = clock_timestamp() - interval '1 second'`.execute(world.db);
    world.simulator.addFault({ fault: 'hang', route: 'GET /v1/payment_intents/:id', times: 1 });
    const startedAt = Date.now();
    expect((await world.cancel(payment)).status).toBe(503);
    expect(Date.now() - startedAt).toBeLessThan(3000);
  });
});

describe('A payment', () => {
  let world: PaymentsWorld;
  const lines: string[] = [];
  beforeAll(async () => {
    world = await paymentsWorld({ onLine: (line) => void lines.push(line) });
  });
  afterEach(() => world.simulator.clearFaults());
  afterAll(() => world.close());

  const code = (reply: { body: string }): string => (JSON.parse(reply.body) as { code: string }).code;

  it('asked for asynchronously is queued, then paid by the loop', async () => {
    const first = await world.create({}, { key: 'async', respondAsync: true });
    expect([first.status, world.json(first).status]).toEqual([202, 'queued']);
    expect((await world.create({}, { key: 'async', respondAsync: true })).status).toBe(202);
    await world.settle();
    const last = await world.create({}, { key: 'async', respondAsync: true });
    expect([last.status, world.json(last).status]).toEqual([201, 'succeeded']);
  });

  it('queued past its not_after is canceled, certainly unsent', async () => {
    const not_after = new Date(world.clock.now().getTime() + 60_000).toISOString();
    const before = world.truth().intents.length;
    const { id } = world.json(await world.create({ not_after }, { respondAsync: true }));
    world.advance(61_000);
    await world.settle();
    expect((await world.get(id)).status).toBe('canceled');
    expect(world.truth().intents).toHaveLength(before);
  });

  it('queued can be canceled without a call', async () => {
    const { id } = world.json(await world.create({}, { key: 'queued-cancel', respondAsync: true }));
    expect(world.json(await world.cancel(id)).status).toBe('canceled');
    await world.settle();
    expect(world.intentsOf(id)).toEqual([]);
    expect(world.json(await world.create({}, { key: 'queued-cancel', respondAsync: true })).status).toBe('canceled');
  });

  it('whose confirm stays unanswered past not_after is canceled at Stripe', async () => {
    const not_after = new Date(world.clock.now().getTime() + 30_000).toISOString();
    world.simulator.addFault({ fault: 'error_500_before', route: 'POST /v1/payment_intents/:id/confirm', times: 0 });
    const { id, status } = world.json(await world.create({ not_after }));
    expect(status).toBe('unknown');
    await world.settle();
    expect((await world.get(id)).status).toBe('canceled');
    expect(world.intentsOf(id)).toMatchObject([{ status: 'canceled' }]);
  });

  it('whose confirm Stripe turns away until not_after is canceled, never charged', async () => {
    const not_after = new Date(world.clock.now().getTime() + 30_000).toISOString();
    world.simulator.addFault({ fault: 'rate_limit', route: 'POST /v1/payment_intents/:id/confirm', times: 1 });
    expect((await world.create({ not_after }, { key: 'late' })).status).toBe(503);
    world.advance(31_000);
    await world.settle();
    const { id, status } = world.json(await world.create({ not_after }, { key: 'late' }));
    expect(status).toBe('canceled');
    expect(world.intentsOf(id)).toMatchObject([{ status: 'canceled', amount_received: 0 }]);
  });

  it('made long ago is paid by a confirm whose first answer is lost', async () => {
    const not_after = new Date(world.clock.now().getTime() + 60_000).toISOString();
    const { id } = await world.created({ payment_method: undefined, not_after });
    world.advance(120_000);
    world.simulator.addFault({ fault: 'error_500_before', route: 'POST /v1/payment_intents/:id/confirm', times: 1 });
    await world.confirm(id, { payment_method: VISA });
    await world.settle();
    expect(await world.get(id)).toMatchObject({ status: 'succeeded', amount_captured: 4200 });
  });

  it('whose payment method does not exist is 422 and fails for good', async () => {
    const reply = await world.create({ payment_method: 'pm_card_doesNotExist' }, { key: 'nonsense' });
    expect([reply.status, code(reply)]).toEqual([422, 'payments.rejected_by_stripe']);
    expect((await world.create({ payment_method: 'pm_card_doesNotExist' }, { key: 'nonsense' })).body).toBe(reply.body);
    await world.settle();
    expect(world.truth().intents.at(-1)?.status).toBe('canceled');
    const row = await world.db.selectFrom('payments').select('status').orderBy('created_at', 'desc').executeTakeFirst();
    expect(row?.status).toBe('failed');
  });

  it('without a payment method waits for one, with a client_secret for the browser', async () => {
    const view = world.json(await world.create({ payment_method: undefined, confirm: false }));
    expect(view).toMatchObject({ status: 'requires_payment_method', client_secret: expect.stringContaining('_secret_') });
    expect(view.failure).toBeUndefined();
    expect(world.json(await world.confirm(view.id, { payment_method: VISA })).status).toBe('succeeded');
    expect((await world.get(view.id)).client_secret).toBeUndefined();
  });

  it('declined twice tells each decline, then takes another method', async () => {
    const { id } = await world.created({ payment_method: DECLINED });
    const again = world.json(await world.confirm(id, { payment_method: 'pm_card_visa_chargeDeclinedInsufficientFunds' }));
    expect(again.failure?.decline_code).toBe('insufficient_funds');
    expect(world.json(await world.confirm(id, { payment_method: VISA }))).toMatchObject({ status: 'succeeded', amount_captured: 4200 });
  });

  it('refuses what its state does not allow', async () => {
    const paid = await world.created();
    expect(code(await world.capture(paid.id))).toBe('payments.illegal_state');
    expect(code(await world.cancel(paid.id))).toBe('payments.illegal_state');
    expect(code(await world.confirm(paid.id, { payment_method: VISA }))).toBe('payments.illegal_state');
    expect(code(await world.refund(paid.id, { amount: 4201 }))).toBe('payments.refund_exceeds_captured');
    const held = await world.created({ capture_method: 'manual' });
    expect(code(await world.capture(held.id, { amount: 4201 }))).toBe('payments.capture_exceeds_authorized');
    expect(code(await world.refund(held.id))).toBe('payments.illegal_state');
  });

  it('that Stripe limits between two calls is 503, goes on by itself, and a repetition joins it', async () => {
    world.simulator.addFault({ fault: 'rate_limit', route: 'POST /v1/payment_intents/:id/confirm', times: 1 });
    const first = await world.create({}, { key: 'limited' });
    expect([first.status, code(first)]).toEqual([503, 'payments.stripe_unavailable']);
    await world.settle();
    const second = world.json(await world.create({}, { key: 'limited' }));
    expect(second.status).toBe('succeeded');
    expect(world.intentsOf(second.id)).toHaveLength(1);
  });

  it('that another program made dearer answers its confirm with what was paid', async () => {
    const { id, stripe_payment_intent } = await world.created({ payment_method: undefined });
    await world.stripe(`payment_intents/${stripe_payment_intent}`, { amount: '5000' });
    const paid = await world.confirm(id, { payment_method: VISA });
    expect([paid.status, world.json(paid)]).toMatchObject([200, { status: 'succeeded', amount: 5000, amount_captured: 5000 }]);
    const told = lines.filter((line) => line.includes('"event":"payment_amount_raised"')).map((line) => JSON.parse(line) as unknown);
    expect(told).toMatchObject([{ level: 'warn', payment_id: id, stripe_payment_intent, from: 4200, to: 5000, currency: 'usd' }]);
  });

  it('whose first intent was not listed in time keeps the second and has the first canceled', async () => {
    world.simulator.addFault({ fault: 'error_500_after', route: 'POST /v1/payment_intents' });
    world.simulator.addFault({ fault: 'list_lag', route: 'GET /v1/payment_intents', ms: 60_000 });
    const { id } = await world.created();
    const [first, second] = world.intentsOf(id);
    if (!first || !second) throw new Error('Expected two intents');
    world.simulator.clearFaults();
    const { deliver, newsOf } = await import('./stripe-news.js');
    for (const message of newsOf(world).filter((one) => [first.id, second.id].includes(one.aggregate))) await deliver(world, message);
    await world.settle();
    const view = await world.get(id);
    expect(view.status).toBe('succeeded');
    const states = Object.fromEntries(world.intentsOf(id).map((intent) => [intent.id, intent.status]));
    expect(Object.values(states).sort()).toEqual(['canceled', 'succeeded']);
    expect(states[view.stripe_payment_intent ?? '']).toBe('succeeded');
  });

  it('whose intent a late repetition made, without an answer, is found and made no second time', async () => {
    world.simulator.addFault({ fault: 'reset_before', route: 'POST /v1/payment_intents', times: 0 });
    const { id } = await world.created();
    await world.settle(20 * 60_000);
    world.simulator.clearFaults();
    world.simulator.addFault({ fault: 'error_500_after', route: 'POST /v1/payment_intents', times: 1 });
    await world.settle();
    expect(await world.get(id)).toMatchObject({ status: 'succeeded' });
    expect(world.intentsOf(id)).toHaveLength(1);
  });

  it('a refund that appears after it was given up counts', async () => {
    const { id, stripe_payment_intent } = await world.created();
    world.simulator.addFault({ fault: 'error_500_before', route: 'POST /v1/refunds' });
    const refund = world.json<{ id: string; status: string }>(await world.refund(id, { amount: 500 }));
    expect(refund.status).toBe('unknown');
    expect(world.json<{ code: string }>(await world.refund(id, { amount: 4000 })).code).toBe('payments.refund_exceeds_captured');
    await world.settle();
    expect((await world.get(id)).refunds).toMatchObject([{ status: 'failed' }]);

    const body = JSON.stringify({ payment_intent: stripe_payment_intent, amount: 500, metadata: { refund_id: refund.id } });
    await fetch(`${world.simulator.url}/__dashboard/refund`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const { deliver, newsOf } = await import('./stripe-news.js');
    for (const message of newsOf(world).filter((one) => one.aggregate === stripe_payment_intent)) await deliver(world, message);
    expect(await world.get(id)).toMatchObject({ amount_refunded: 500, refunds: [{ id: refund.id, status: 'succeeded' }] });
  });

  it('a full refund without an amount gives back what is left', async () => {
    const { id } = await world.created();
    await world.refund(id, { amount: 200 });
    expect(world.json<{ amount: number }>(await world.refund(id)).amount).toBe(4000);
    expect((await world.get(id)).amount_refunded).toBe(4200);
  });
});
