import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { type PaymentView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { type Incoming } from '@tidegate/messaging/incoming';
import { sql } from 'kysely';
import { type PaymentsWorld, paymentsWorld } from './payments-world.js';
import { catchUp, deliver, newsOf } from './stripe-news.js';

jest.setTimeout(60_000);

/** Situations in which systems of this kind have lost or doubled money, each by the name that people call it. */
describe('Named', () => {
  let world: PaymentsWorld;
  beforeAll(async () => {
    world = await paymentsWorld({ runMs: 600, answerMs: 800 });
  });
  afterEach(() => world.simulator.clearFaults());
  afterAll(() => world.close());

  const codeOf = (reply: HttpReply) => world.json<{ code: string }>(reply).code;
  const newsAbout = (payment: PaymentView): Incoming[] => newsOf(world).filter((one) => one.aggregate === payment.stripe_payment_intent);
  const chargesOf = (payment: PaymentView) =>
    world
      .truth()
      .charges.filter((one) => one.payment_intent === payment.stripe_payment_intent && one.captured && one.status === 'succeeded');
  const requestsTo = (path: string) =>
    world.simulator.truth(['requests']).requests.filter((one) => one.method === 'POST' && one.path === path);
  const factsOf = async (id: string): Promise<string[]> => {
    const { rows } = await sql<{ subject: string }>`SELECT subject FROM outbox WHERE aggregate = ${id} ORDER BY id`.execute(world.db);
    return rows.map(({ subject }) => subject.split('.')[3] ?? '');
  };

  describe('refund while the capture is unknown', () => {
    it.each([
      ['captured', 'error_500_after'],
      ['did nothing', 'error_500_before'],
    ] as const)(
      'when the capture %s: it waits, is refused without a trace, and is made once the capture is certain',
      async (_what, fault) => {
        const payment = await world.created({ capture_method: 'manual' });
        world.simulator.addFault({ fault, route: 'POST /v1/payment_intents/:id/capture', times: 1 });
        world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/payment_intents/:id', times: 0 });
        expect(world.json(await world.capture(payment.id, { amount: 3000 })).status).toBe('unknown');

        const early = await world.refund(payment.id, { amount: 2000 }, `early-${fault}`);
        expect([early.status, codeOf(early), early.headers?.['retry-after']]).toEqual([
          503,
          'payments.stripe_unavailable',
          expect.any(String),
        ]);
        expect(await world.get(payment.id)).toMatchObject({ status: 'unknown', refunds: [] });

        world.simulator.clearFaults();
        await world.settle();
        expect(await world.get(payment.id)).toMatchObject({ status: 'succeeded', amount_captured: 3000 });
        expect((await world.refund(payment.id, { amount: 2000 }, `early-${fault}`)).status).toBe(201);
        expect(codeOf(await world.refund(payment.id, { amount: 1001 }))).toBe('payments.refund_exceeds_captured');
        expect(chargesOf(payment)).toMatchObject([{ amount_captured: 3000 }]);
        expect(world.truth().refunds.filter((one) => one.payment_intent === payment.stripe_payment_intent)).toMatchObject([
          { amount: 2000 },
        ]);
      },
    );
  });

  it('dispute after full refund', async () => {
    const payment = await world.created();
    await world.refund(payment.id);
    await world.dashboard('dispute', { payment_intent: payment.stripe_payment_intent });
    await catchUp(world, payment.stripe_payment_intent);
    expect(await world.get(payment.id)).toMatchObject({
      status: 'succeeded',
      amount_captured: 4200,
      amount_refunded: 4200,
      refunds: [{ status: 'succeeded', amount: 4200 }],
      dispute: { status: 'needs_response', funds: { withdrawn: 4200, fee: 1500 } },
    });
    await world.dashboard('close_dispute', { payment_intent: payment.stripe_payment_intent, outcome: 'lost' });
    await catchUp(world, payment.stripe_payment_intent, (news) => news.toReversed());
    expect(await world.get(payment.id)).toMatchObject({ status: 'succeeded', amount_refunded: 4200, dispute: { status: 'lost' } });
    expect((await factsOf(payment.id)).filter((fact) => fact.startsWith('dispute'))).toEqual([
      'dispute_opened',
      'dispute_funds_withdrawn',
      'dispute_closed',
    ]);
  });

  it.each([
    ['comes', []],
    ['is lost', [{ fault: 'reset_after', route: 'POST /v1/refunds', times: 1 }]],
  ] as const)('a refund in the room of one that failed, when its answer %s before the news of that', async (_what, faults) => {
    const payment = await world.created();
    world.simulator.addFault({ fault: 'reset_before', route: 'POST /v1/refunds', times: 0 });
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/refunds', times: 0 });
    const ours = world.json<{ id: string; status: string }>(await world.refund(payment.id));
    expect(ours.status).toBe('unknown');
    world.simulator.addFault({ fault: 'late_failure', route: 'POST /v1/refunds', ms: 1000, times: 1 });
    await world.dashboard('refund', { payment_intent: payment.stripe_payment_intent, amount: 3000 });
    for (const message of newsAbout(payment)) await deliver(world, message);
    expect(await world.get(payment.id)).toMatchObject({ amount_refunded: 3000 });

    world.simulator.clearFaults();
    for (const fault of faults) world.simulator.addFault(fault);
    world.advance(2000);
    await world.settle();
    const settled = await world.get(payment.id);
    expect(settled).toMatchObject({ amount_refunded: 4200, refunds: [{ id: ours.id, status: 'succeeded' }, { status: 'failed' }] });
    const made = world.truth().refunds.filter((one) => one.payment_intent === payment.stripe_payment_intent);
    expect(made.map(({ amount, status }) => [amount, status]).toSorted()).toEqual([
      [3000, 'failed'],
      [4200, 'succeeded'],
    ]);
  });

  it('late event regressing state', async () => {
    const payment = await world.created({
      payment_method: 'pm_card_threeDSecure2Required',
      capture_method: 'manual',
      return_url: 'https://shop.example/back',
    });
    await world.dashboard('complete_action', { payment_intent: payment.stripe_payment_intent });
    const early = newsAbout(payment);
    await catchUp(world, payment.stripe_payment_intent);
    await world.capture(payment.id);
    const [view, facts] = [await world.get(payment.id), await factsOf(payment.id)];
    expect(view).toMatchObject({ status: 'succeeded', amount_captured: 4200 });
    expect(early.map((one) => one.envelope.type)).toEqual(
      expect.arrayContaining(['payment_intent.created', 'payment_intent.requires_action', 'payment_intent.amount_capturable_updated']),
    );
    for (const message of [...early.toReversed(), ...early]) await deliver(world, message);
    await world.settle();
    expect(await world.get(payment.id)).toEqual(view);
    expect(await factsOf(payment.id)).toEqual(facts);
  });

  describe('a stored 500 replayed for ever', () => {
    it('does not hold up a payment: once it is certain that nothing happened, the next key is used', async () => {
      world.simulator.addFault({ fault: 'error_500_before', route: 'POST /v1/payment_intents/:id/confirm', times: 1 });
      const reply = await world.create({}, { key: 'stored-500' });
      await world.settle();
      const payment = await world.get(world.json(reply).id);
      expect(payment).toMatchObject({ status: 'succeeded', amount_captured: 4200 });
      const confirms = requestsTo(`/v1/payment_intents/${payment.stripe_payment_intent}/confirm`);
      expect(confirms.map(({ idempotency_key, status }) => [idempotency_key?.split(':').at(-1), status])).toEqual([
        ['1', 500],
        ['2', 200],
      ]);
      expect(chargesOf(payment)).toHaveLength(1);
    });

    it('of a refund ends in a certain no, never in a second key', async () => {
      const payment = await world.created();
      const asked = requestsTo('/v1/refunds').length;
      world.simulator.addFault({ fault: 'error_500_before', route: 'POST /v1/refunds', times: 1 });
      const refund = world.json<{ id: string; status: string }>(await world.refund(payment.id, { amount: 1000 }, 'stored-500-refund'));
      expect(refund.status).toBe('unknown');
      await world.settle();
      expect((await world.get(payment.id)).refunds).toMatchObject([{ id: refund.id, status: 'failed', failure: { code: 'not_executed' } }]);
      const calls = requestsTo('/v1/refunds').slice(asked);
      expect([new Set(calls.map(({ idempotency_key }) => idempotency_key)).size, calls.every(({ status }) => status === 500)]).toEqual([
        1,
        true,
      ]);
      expect((await world.refund(payment.id)).status).toBe(201);
      expect(await world.get(payment.id)).toMatchObject({ amount_refunded: 4200 });
    });
  });

  it('a pending payment without PaymentIntent id', async () => {
    world.simulator.addFault({ fault: 'reset_after', route: 'POST /v1/payment_intents', times: 1 });
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/payment_intents', times: 0 });
    const { id, status, stripe_payment_intent } = world.json(await world.create());
    expect([status, stripe_payment_intent]).toEqual(['unknown', null]);
    world.advance(40 * 60_000);

    const listed = world.json<{ data: PaymentView[] }>(await world.send(RPC.paymentList, { query: { status: 'unknown' } }));
    expect(listed.data).toMatchObject([{ id, stripe_payment_intent: null }]);
    expect((await world.series('payments_without_intent_oldest_seconds'))['']).toBeGreaterThanOrEqual(40 * 60);
    expect((await world.series('payments_pending_oldest_seconds'))['status="unknown"']).toBeGreaterThanOrEqual(40 * 60);

    world.simulator.clearFaults();
    await world.settle();
    const found = await world.get(id);
    expect(found).toMatchObject({ status: 'succeeded', amount_captured: 4200, stripe_payment_intent: expect.stringMatching(/^pi_/) });
    expect(world.intentsOf(id).map((intent) => intent.id)).toEqual([found.stripe_payment_intent]);
    expect((await world.series('payments_without_intent_oldest_seconds'))['']).toBe(0);
  });

  it('redirect and webhook racing', async () => {
    const payment = await world.created({ payment_method: 'pm_card_threeDSecure2Required', return_url: 'https://shop.example/back' });
    await world.dashboard('complete_action', { payment_intent: payment.stripe_payment_intent });
    const insist = async (message: Incoming): Promise<void> => deliver(world, message).catch(() => insist(message));
    const back = { payment_method: 'pm_card_threeDSecure2Required', return_url: 'https://shop.example/back' };
    const news = newsAbout(payment);
    // The payer is back, the shop's page asks and confirms once more, and Stripe's news come in, twice each and newest first.
    const [first, second] = await Promise.all([
      world.confirm(payment.id, back, 'back-from-the-bank'),
      world.confirm(payment.id, back, 'back-from-the-bank'),
      world.get(payment.id),
      ...[...news, ...news].toReversed().map(insist),
    ]);
    await world.settle();
    expect(await world.get(payment.id)).toMatchObject({ status: 'succeeded', amount_captured: 4200 });
    expect(chargesOf(payment)).toHaveLength(1);
    expect((await factsOf(payment.id)).filter((fact) => fact === 'succeeded')).toHaveLength(1);
    const certain = await world.confirm(payment.id, back, 'back-from-the-bank');
    expect([200, 422]).toContain(certain.status);
    for (const reply of [first, second] as HttpReply[])
      if (reply.status === certain.status && world.json(reply).status !== 'unknown') expect(reply.body).toBe(certain.body);
  });
});
