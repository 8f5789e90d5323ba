import { RPC } from '@tidegate/contracts/rpc/routes';
import { createLogger } from '@tidegate/telemetry/logger';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { forgetAnswersOnce } from '../src/retention/answers.loop.js';
import { DECLINED, type PaymentsWorld, paymentsWorld } from './payments-world.js';
import { deliver, newsOf } from './stripe-news.js';

jest.setTimeout(60_000);

const DAY_MS = 86_400_000;

const many = <T>(n: number, make: (i: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: n }, (_, i) => make(i)));

describe('One Idempotency-Key', () => {
  let world: PaymentsWorld;
  beforeAll(async () => {
    world = await paymentsWorld({ replicas: 3, deadlineMs: 2500 });
  });
  afterEach(() => world.simulator.clearFaults());
  afterAll(() => world.close());

  it('used by 50 concurrent requests over three replicas is one PaymentIntent and 50 equal bodies', async () => {
    const replies = await many(50, (i) => world.create({}, { key: 'fifty' }, i));
    expect(new Set(replies.map((reply) => `${reply.status} ${reply.body}`)).size).toBe(1);
    const { id, status } = world.json(replies[0] as (typeof replies)[number]);
    expect(status).toBe('succeeded');
    expect(world.intentsOf(id)).toHaveLength(1);
  });

  it("is told of no outcome that Stripe's news brought, until the answer that will be kept is certain", async () => {
    world.simulator.addFault({ fault: 'reset_after', route: 'POST /v1/payment_intents/:id/confirm', times: 0 });
    world.simulator.addFault({ fault: 'reset_before', route: 'GET /v1/payment_intents/:id', times: 0 });
    const first = world.json(await world.create({}, { key: 'early' }));
    expect(first.status).toBe('unknown');
    for (const message of newsOf(world).filter((one) => one.aggregate === first.stripe_payment_intent)) await deliver(world, message);
    expect((await world.get(first.id)).status).toBe('succeeded');
    const early = await world.create({}, { key: 'early' }, 1);
    expect([early.status, world.json<{ code: string }>(early).code]).toEqual([409, 'idempotency.in_progress']);

    world.simulator.clearFaults();
    await world.settle();
    const kept = await world.create({}, { key: 'early' }, 2);
    expect(world.json(kept)).toMatchObject({ status: 'succeeded', client_secret: expect.any(String) });
    expect((await world.create({}, { key: 'early' })).body).toBe(kept.body);
  });

  it('is told while an answer of Stripe is missing that the payment is unknown, then replays the outcome', async () => {
    world.simulator.addFault({ fault: 'hang', route: 'POST /v1/payment_intents/:id/confirm', times: 0 });
    const [first, second] = await Promise.all([world.create({}, { key: 'slow' }), world.create({}, { key: 'slow' }, 1)]);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect([world.json(first).status, world.json(second).status]).toEqual(['unknown', 'unknown']);
    world.simulator.clearFaults();
    await world.settle();
    const [third, fourth] = [await world.create({}, { key: 'slow' }), await world.create({}, { key: 'slow' }, 2)];
    expect(world.json(third)).toMatchObject({ status: 'succeeded', client_secret: expect.any(String) });
    expect(fourth.body).toBe(third.body);
  });

  it('with another body is refused and changes nothing', async () => {
    const first = world.json(await world.create({}, { key: 'mismatch' }));
    const reply = await world.create({ amount: 9900 }, { key: 'mismatch' });
    expect(reply.status).toBe(422);
    expect(world.json<{ code: string }>(reply).code).toBe('idempotency.mismatch');
    expect(world.intentsOf(first.id)).toHaveLength(1);
  });

  it('is the same request whatever the order of the members', async () => {
    const first = await world.send(RPC.paymentCreate, { key: 'order', body: { amount: 500, currency: 'usd' } });
    const second = await world.send(RPC.paymentCreate, { key: 'order', body: { currency: 'usd', amount: 500 } });
    expect(second.body).toBe(first.body);
  });

  it('belongs to one tenant and one route', async () => {
    const mine = world.json(await world.create({}, { key: 'shared' }));
    const theirs = world.json(await world.create({}, { key: 'shared', tenant: 'other' }));
    expect(theirs.id).not.toBe(mine.id);
  });

  it('replays a decline and a refusal byte for byte', async () => {
    const declined = await world.create({ payment_method: DECLINED }, { key: 'declined' });
    expect(world.json(declined)).toMatchObject({ status: 'requires_payment_method', failure: { code: 'card_declined' } });
    expect((await world.create({ payment_method: DECLINED }, { key: 'declined' }, 1)).body).toBe(declined.body);

    const { id } = world.json(declined);
    const refused = await world.capture(id, {}, 'refused');
    expect(refused.status).toBe(422);
    expect((await world.capture(id, {}, 'refused')).body).toBe(refused.body);
  });

  it('is required', async () => {
    const reply = await world.create({}, { key: null });
    expect([reply.status, world.json<{ code: string }>(reply).code]).toEqual([400, 'idempotency.key_required']);
  });

  it('stays free when the request was not valid', async () => {
    const before = world.truth().intents.length;
    for (const [body, code] of [
      [{ amount: 49 }, 'payments.amount_too_small'],
      [{ currency: 'xyz' }, 'payments.currency_unsupported'],
      [{ amount: 1001, currency: 'kwd' }, 'validation.failed'],
      [{ amount: -1 }, 'validation.failed'],
      [{ amount: 1.5 }, 'validation.failed'],
      [{ not_after: '2020-01-01T00:00:00Z' }, 'validation.failed'],
      [{ customer: 'cus_nobody' }, 'not_found'],
      [{ surprise: true }, 'validation.failed'],
    ] as const) {
      expect(world.json<{ code: string }>(await world.create(body, { key: 'free' })).code).toBe(code);
    }
    expect(world.truth().intents).toHaveLength(before);
    expect((await world.create({}, { key: 'free' })).status).toBe(201);
  });

  it('answers a completed request even while the breaker is open, and writes nothing for a new one', async () => {
    const guarded = await paymentsWorld({ breaker: { threshold: 1, ratio: 0.1, windowMs: 60_000, recoveryMs: 60_000 } });
    try {
      const done = await guarded.create({}, { key: 'done' });
      guarded.simulator.addFault({ fault: 'error_500_before', times: 0 });
      await guarded.create({}, { key: 'trips' });
      expect((await guarded.create({}, { key: 'done' })).body).toBe(done.body);
      const refused = await guarded.create({}, { key: 'new' });
      expect([refused.status, guarded.json<{ code: string }>(refused).code]).toEqual([503, 'payments.stripe_unavailable']);
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      const keys = await guarded.db.selectFrom('idempotency_keys').select('key').execute();
      expect(keys.map((row) => row.key).sort()).toEqual(['done', 'trips']);
    } finally {
      await guarded.close();
    }
  });

  it('is answered for 90 days, in the same bytes; after that its request is over, and it is still not free', async () => {
    const { body } = await world.create({}, { key: 'kept' });
    const { id } = world.json(await world.create({}, { key: 'kept' }));
    const logger = createLogger({ service: 'payments', level: 'silent' });
    const inDays = (days: number) =>
      forgetAnswersOnce({ db: world.db, logger, keepMs: 90 * DAY_MS, clock: { now: () => new Date(Date.now() + days * DAY_MS) } });
    expect(await inDays(89)).toBe(0);
    expect((await world.create({}, { key: 'kept' })).body).toBe(body);
    expect(await inDays(91)).toBeGreaterThan(0);
    const late = await world.create({}, { key: 'kept' });
    expect([late.status, world.json<{ code: string }>(late).code]).toEqual([409, 'idempotency.key_expired']);
    expect(world.intentsOf(id)).toHaveLength(1);
    expect(await inDays(300)).toBe(0);
  });
});

describe('50 concurrent refunds', () => {
  let world: PaymentsWorld;
  beforeAll(async () => {
    world = await paymentsWorld({ replicas: 3, deadlineMs: 2000, runMs: 20_000, answerMs: 22_000 });
  });
  afterAll(() => world.close());

  it('never give back more than was captured', async () => {
    const { id } = await world.created();
    const replies = await many(50, (i) => world.refund(id, { amount: 1000 }, `refund_${i}`, i));
    expect(replies.filter((reply) => reply.status === 201)).toHaveLength(4);
    expect(new Set(replies.filter((reply) => reply.status !== 201).map((reply) => world.json<{ code: string }>(reply).code))).toEqual(
      new Set(['payments.refund_exceeds_captured']),
    );
    await world.settle();
    const view = await world.get(id);
    expect(view.amount_refunded).toBe(4000);
    const refunds = world.truth().refunds.filter((refund) => refund.payment_intent === view.stripe_payment_intent);
    expect(refunds.reduce((sum, refund) => sum + refund.amount, 0)).toBe(4000);
  }, 30_000);

  it('with one key are one refund', async () => {
    const { id, stripe_payment_intent } = await world.created();
    const replies = await many(20, (i) => world.refund(id, { amount: 100 }, 'same', i));
    expect(new Set(replies.map((reply) => reply.body)).size).toBe(1);
    expect(world.truth().refunds.filter((refund) => refund.payment_intent === stripe_payment_intent)).toHaveLength(1);
  });
});
