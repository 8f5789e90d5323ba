import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Failpoints } from '@tidegate/database/failpoints';
import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { sql } from 'kysely';
import { requestFailpoints } from '../src/failpoints.js';
import { DECLINED, type PaymentsWorld, paymentsWorld, VISA } from './payments-world.js';

jest.setTimeout(60_000);

type Operation = keyof typeof requestFailpoints;

/** What each operation needs before it, asks for, and must have done exactly once in the end. */
const CASES: Record<
  Operation,
  {
    subject: RpcSubject;
    given: Record<string, unknown> | null;
    body: object;
    then: { status: string; amount_captured: number; amount_refunded: number };
  }
> = {
  create: {
    subject: RPC.paymentCreate,
    given: null,
    body: { amount: 4200, currency: 'usd', payment_method: VISA },
    then: { status: 'succeeded', amount_captured: 4200, amount_refunded: 0 },
  },
  confirm: {
    subject: RPC.paymentConfirm,
    given: { payment_method: DECLINED },
    body: { payment_method: VISA },
    then: { status: 'succeeded', amount_captured: 4200, amount_refunded: 0 },
  },
  capture: {
    subject: RPC.paymentCapture,
    given: { capture_method: 'manual' },
    body: { amount: 4000 },
    then: { status: 'succeeded', amount_captured: 4000, amount_refunded: 0 },
  },
  cancel: {
    subject: RPC.paymentCancel,
    given: { capture_method: 'manual' },
    body: {},
    then: { status: 'canceled', amount_captured: 0, amount_refunded: 0 },
  },
  refund: {
    subject: RPC.paymentRefund,
    given: {},
    body: { amount: 1000 },
    then: { status: 'succeeded', amount_captured: 4200, amount_refunded: 1000 },
  },
};

const POINTS = (Object.keys(CASES) as Operation[]).flatMap((operation) =>
  requestFailpoints[operation].map((name) => [operation, name] as const),
);

describe('When the process that works on a request dies', () => {
  let world: PaymentsWorld;
  let loop: ReturnType<PaymentsWorld['start']>;
  let dyingAt: string | null = null;
  let died = 0;
  const dying: Failpoints = {
    async hit(name) {
      if (name !== dyingAt) return;
      died += 1;
      throw new Error(`died at ${name}`);
    },
  };
  beforeAll(async () => {
    world = await paymentsWorld({ deadlineMs: 2000 });
    loop = world.start(dying);
  });
  afterAll(() => world.close());

  it.each(POINTS)('in %s at %s, another goes on and the effect happens once', async (operation, name) => {
    const { subject, given, body, then } = CASES[operation];
    const id = given ? (await world.created(given)).id : '';
    const request = { key: name, params: { id }, body };
    dyingAt = name;
    died = 0;
    const first = await world.send(subject, request, 1);
    dyingAt = null;
    expect({ status: first.status, died }).toEqual({ status: 503, died: 1 });

    await sql`UPDATE payment_work SET lease_until = clock_timestamp() - interval '1 second'`.execute(world.db);
    await world.settle();
    const [second, third] = [await world.send(subject, request), await world.send(subject, request)];
    expect(second.status).toBe(operation === 'create' || operation === 'refund' ? 201 : 200);
    expect(third.body).toBe(second.body);

    const payment = id || world.json(second).id;
    const view = await world.get(payment);
    expect(view).toMatchObject(then);
    expect(world.intentsOf(payment)).toHaveLength(1);
    const refunds = world.truth().refunds.filter((refund) => refund.payment_intent === view.stripe_payment_intent);
    expect(refunds.reduce((sum, refund) => sum + refund.amount, 0)).toBe(then.amount_refunded);
    expect(world.intentsOf(payment)[0]?.amount_received).toBe(then.amount_captured);
    if (operation === 'create') expect(world.json(second).client_secret).toBeDefined();
  });

  it('the next run in the same process has another name, so that the one before cannot renew its lease', async () => {
    const holders = async () => (await world.db.selectFrom('payment_work').select('holder').execute()).map((row) => row.holder);
    const first = await world.create({}, { key: 'named', respondAsync: true });
    world.simulator.addFault({ fault: 'error_500_before', route: 'POST /v1/payment_intents', times: 1 });
    const names: (string | null)[] = [];
    dyingAt = 'payments.create.intent.after_call';
    for (let pass = 0; pass < 2; pass += 1) {
      died = 0;
      await loop.parts.carryOnOnce(10_000);
      names.push(...(await holders()));
      await sql`UPDATE payment_work SET lease_until = clock_timestamp() - interval '1 second'`.execute(world.db);
      expect(died).toBe(1);
    }
    dyingAt = null;
    expect(new Set(names).size).toBe(2);
    await world.settle();
    expect((await world.get(world.json(first).id)).status).toBe('succeeded');
  });

  it('but had only been held up, its late answer changes nothing and its request gets the stored bytes', async () => {
    const gate = Promise.withResolvers<null>();
    const reached = Promise.withResolvers<null>();
    world.start({
      hit: async (name) => {
        if (name !== 'payments.create.confirm.after_call') return;
        reached.resolve(null);
        await gate.promise;
      },
    });
    const slow = world.create({}, { key: 'held-up' }, 2);
    await reached.promise;
    await sql`UPDATE payment_work SET lease_until = clock_timestamp() - interval '1 second'`.execute(world.db);
    await world.parts.carryOnOnce(10_000);
    const stored = await world.create({}, { key: 'held-up' });
    gate.resolve(null);
    expect(await slow).toEqual(stored);
    expect(world.json(stored)).toMatchObject({ status: 'succeeded', client_secret: expect.any(String) });
    await world.settle();
    expect(world.intentsOf(world.json(stored).id)).toHaveLength(1);
  });

  it('in a create, fifty repetitions meanwhile join the one that takes over', async () => {
    dyingAt = 'payments.create.confirm.after_call';
    const first = await world.create({}, { key: 'joined' }, 1);
    dyingAt = null;
    expect(first.status).toBe(503);
    const replies: HttpReply[] = await Promise.all(Array.from({ length: 50 }, () => world.create({}, { key: 'joined' })));
    const certain = replies.filter((reply) => reply.status === 201 && world.json(reply).status === 'succeeded');
    expect(new Set(certain.map((reply) => reply.body)).size).toBeLessThanOrEqual(1);
    expect(replies.every((reply) => [201, 409].includes(reply.status))).toBe(true);
    await sql`UPDATE payment_work SET lease_until = clock_timestamp() - interval '1 second'`.execute(world.db);
    await world.settle();
    const last = world.json(await world.create({}, { key: 'joined' }));
    expect(last.status).toBe('succeeded');
    expect(world.intentsOf(last.id)).toHaveLength(1);
  });
});
