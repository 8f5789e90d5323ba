import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { type PaymentView } from '@tidegate/contracts/responses';
import { DECLINED, type PaymentsWorld, paymentsWorld, VISA } from './payments-world.js';

jest.setTimeout(60_000);

const FAULTS = ['hang', 'reset_before', 'reset_after', 'cut_body', 'error_500_before', 'error_500_after'] as const;

describe('Whatever happens to a call to Stripe', () => {
  let world: PaymentsWorld;
  beforeAll(async () => {
    world = await paymentsWorld();
  });
  afterEach(() => world.simulator.clearFaults());
  afterAll(() => world.close());

  /** Plays a fault around a request and makes sure that the request met it. `times` 0 = until the request has been answered. */
  async function under(
    fault: (typeof FAULTS)[number],
    route: string,
    times: number,
    request: () => Promise<HttpReply>,
  ): Promise<HttpReply> {
    world.simulator.addFault({ fault, route, times });
    const reply = await request();
    expect(world.simulator.world.faults.list()[0]?.hits).toBeGreaterThan(0);
    world.simulator.clearFaults();
    return reply;
  }

  /** Exactly one intent, at most one charge that took money, and our view of both is Stripe's. */
  async function expectTruth(id: string, status: PaymentView['status'], captured: number): Promise<PaymentView> {
    const view = await world.get(id);
    const usable = world.intentsOf(id).filter((intent) => intent.status !== 'canceled' || intent.id === view.stripe_payment_intent);
    expect(usable.map((intent) => intent.id)).toEqual([view.stripe_payment_intent]);
    expect(view).toMatchObject({ status, amount_captured: captured });
    const charged = world
      .truth()
      .charges.filter((charge) => charge.payment_intent === view.stripe_payment_intent && charge.captured && charge.status === 'succeeded');
    expect(charged.reduce((sum, charge) => sum + charge.amount_captured, 0)).toBe(captured);
    expect(usable[0]?.amount_received ?? 0).toBe(captured);
    return view;
  }

  describe.each(FAULTS.flatMap((fault) => [[fault, 1] as const, [fault, 0] as const]))(
    '%s, %i times (0: as long as the request lasts)',
    (fault, times) => {
      it.each(['POST /v1/payment_intents', 'POST /v1/payment_intents/:id/confirm'])('on %s of a create charges once', async (route) => {
        const reply = await under(fault, route, times, () => world.create());
        expect(reply.status).toBe(201);
        await world.settle();
        const { id } = world.json(reply);
        await expectTruth(id, 'succeeded', 4200);
      });

      it('on a confirm charges once', async () => {
        const { id } = await world.created({ payment_method: DECLINED });
        const reply = await under(fault, 'POST /v1/payment_intents/:id/confirm', times, () => world.confirm(id, { payment_method: VISA }));
        expect(reply.status).toBe(200);
        await world.settle();
        await expectTruth(id, 'succeeded', 4200);
      });

      it('on a capture captures once', async () => {
        const { id } = await world.created({ capture_method: 'manual' });
        const reply = await under(fault, 'POST /v1/payment_intents/:id/capture', times, () => world.capture(id, { amount: 4000 }));
        expect(reply.status).toBe(200);
        await world.settle();
        await expectTruth(id, 'succeeded', 4000);
      });

      it('on a cancel cancels', async () => {
        const { id } = await world.created({ capture_method: 'manual' });
        const reply = await under(fault, 'POST /v1/payment_intents/:id/cancel', times, () => world.cancel(id));
        expect(reply.status).toBe(200);
        await world.settle();
        await expectTruth(id, 'canceled', 0);
      });

      it('on a refund refunds once or, if Stripe never did, says so in the end', async () => {
        const { id } = await world.created();
        const reply = await under(fault, 'POST /v1/refunds', times, () => world.refund(id, { amount: 1000 }));
        expect(reply.status).toBe(201);
        await world.settle();
        const view = await expectTruth(id, 'succeeded', 4200);
        const refunds = world.truth().refunds.filter((refund) => refund.payment_intent === view.stripe_payment_intent);
        const executed = fault !== 'error_500_before';
        expect(refunds.map((refund) => refund.amount)).toEqual(executed ? [1000] : []);
        expect(view.refunds).toMatchObject([{ status: executed ? 'succeeded' : 'failed', amount: 1000 }]);
        expect(view.amount_refunded).toBe(executed ? 1000 : 0);
      });
    },
  );

  it('repeats a call under its own key, and takes the next key only where Stripe had stored an error under the one before', () => {
    const calls = [...world.simulator.world.requests.all()].filter(({ method }) => method === 'POST');
    const keys = calls.map(({ idempotency_key }) => idempotency_key ?? 'none');
    expect(keys.filter((key) => !/^\w+:(intent|confirm|capture|cancel|refund):\d+$/.test(key))).toEqual([]);
    expect(new Set(keys).size).toBeLessThan(keys.length);
    const [before, next] = [(key: string) => key.replace(/\d+$/, (n) => String(Number(n) - 1)), keys.filter((key) => !key.endsWith(':1'))];
    const stored = (key: string) => calls.some(({ idempotency_key, status }) => idempotency_key === key && status === 500);
    expect(next.length).toBeGreaterThan(0);
    expect(next.filter((key) => !stored(before(key)))).toEqual([]);
  });

  it('replays the certain answer of a request whose answer was missing', async () => {
    const first = await under('reset_after', 'POST /v1/payment_intents/:id/confirm', 1, () => world.create({}, { key: 'replayed' }));
    await world.settle();
    const second = await world.create({}, { key: 'replayed' });
    expect(second.body).toBe(first.body);
    expect(world.json(second)).toMatchObject({ status: 'succeeded', client_secret: expect.any(String) });
  });
});
