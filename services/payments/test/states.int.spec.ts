import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type PaymentView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { DECLINED, type PaymentsWorld, paymentsWorld } from './payments-world.js';
import { catchUp } from './stripe-news.js';

jest.setTimeout(60_000);

const HOUR_MS = 3_600_000;

/** A state that a payment can be left in: how it comes about, and where it is seen here. The README's table as operators read it: `tools/cli/test/states.int.spec.ts`. */
interface OperatorsState {
  state: string;
  enter(world: PaymentsWorld): Promise<PaymentView>;
  /** The series of `/metrics`, and the least it must show after an hour. */
  metric: { name: string; labels: string; atLeast: number };
  /** The query of `GET /v1/payments` that shows the payment to its tenant. */
  list: Record<string, string>;
  shown: object;
  /** Nobody carries the payment on: the breaker is open, or all hands are full. */
  left?: true;
}

const STATES: OperatorsState[] = [
  {
    state: 'unknown: Stripe gave no answer',
    enter: async (world) => {
      world.simulator.addFault({ fault: 'reset_before', route: 'POST /v1/payment_intents/:id/confirm', times: 0 });
      return world.created();
    },
    metric: { name: 'payments_pending_oldest_seconds', labels: 'status="unknown"', atLeast: 3600 },
    list: { status: 'unknown' },
    shown: { status: 'unknown', stripe_payment_intent: expect.stringMatching(/^pi_/) },
  },
  {
    state: 'unknown without a PaymentIntent id',
    enter: async (world) => {
      world.simulator.addFault({ fault: 'reset_before', route: 'POST /v1/payment_intents', times: 0 });
      return world.created();
    },
    metric: { name: 'payments_without_intent_oldest_seconds', labels: '', atLeast: 3600 },
    list: { status: 'unknown' },
    shown: { status: 'unknown', stripe_payment_intent: null },
  },
  {
    state: 'queued',
    enter: async (world) => world.json(await world.create({}, { respondAsync: true })),
    metric: { name: 'payments_pending_oldest_seconds', labels: 'status="queued"', atLeast: 3600 },
    list: { status: 'queued' },
    shown: { status: 'queued' },
    left: true,
  },
  {
    state: 'waiting for the payer',
    enter: (world) => world.created({ payment_method: 'pm_card_threeDSecure2Required', return_url: 'https://shop.example/back' }),
    metric: { name: 'payments_pending_oldest_seconds', labels: 'status="requires_action"', atLeast: 3600 },
    list: { status: 'requires_action' },
    shown: { status: 'requires_action' },
  },
  {
    state: 'processing',
    enter: async (world) => {
      const payment = await world.created({ payment_method: undefined, return_url: 'https://shop.example/back' });
      await world.stripe(`payment_intents/${payment.stripe_payment_intent}/confirm`, {
        payment_method: 'pm_usBankAccount_processing',
        return_url: 'https://shop.example/back',
        'mandate_data[customer_acceptance][type]': 'offline',
      });
      await catchUp(world, payment.stripe_payment_intent);
      return payment;
    },
    metric: { name: 'payments_pending_oldest_seconds', labels: 'status="processing"', atLeast: 3600 },
    list: { status: 'processing' },
    shown: { status: 'processing' },
  },
  {
    state: 'authorized and not captured',
    enter: (world) => world.created({ capture_method: 'manual' }),
    metric: { name: 'payments_pending_oldest_seconds', labels: 'status="authorized"', atLeast: 3600 },
    list: { status: 'authorized' },
    shown: { status: 'authorized' },
  },
  {
    state: 'declined',
    enter: (world) => world.created({ payment_method: DECLINED }),
    metric: { name: 'payments_attempts_total', labels: 'result="declined"', atLeast: 1 },
    list: { status: 'requires_payment_method' },
    shown: { status: 'requires_payment_method', failure: { code: 'card_declined' } },
  },
  {
    state: 'disputed',
    enter: async (world) => {
      const payment = await world.created();
      await world.dashboard('dispute', { payment_intent: payment.stripe_payment_intent });
      await catchUp(world, payment.stripe_payment_intent);
      return payment;
    },
    metric: { name: 'payments_disputes', labels: 'status="needs_response"', atLeast: 1 },
    list: { dispute: 'open' },
    shown: { status: 'succeeded', dispute: { status: 'needs_response' } },
  },
];

describe('An operator sees', () => {
  let world: PaymentsWorld;
  beforeAll(async () => {
    world = await paymentsWorld();
  });
  afterEach(() => world.simulator.clearFaults());
  afterAll(() => world.close());

  const listed = async (query: Record<string, string>): Promise<PaymentView[]> =>
    world.json<{ data: PaymentView[] }>(await world.send(RPC.paymentList, { query })).data;

  it('every series from the start, before anything has happened', async () => {
    const RESULTS = ['succeeded', 'authorized', 'declined', 'requires_action', 'processing', 'canceled', 'failed', 'unknown'];
    const zero = (label: string, values: string[]) => Object.fromEntries(values.map((value) => [`${label}="${value}"`, 0]));
    expect(await world.series('payments_attempts_total')).toEqual(zero('result', RESULTS));
    expect(await world.series('payments_duration_seconds_count')).toEqual(zero('outcome', ['succeeded', 'canceled', 'failed']));
    expect(await world.series('payments_pending_oldest_seconds')).toEqual(
      zero('status', ['queued', 'unknown', 'processing', 'requires_action', 'authorized']),
    );
    expect((await world.series('payments_disputes'))['status="lost"']).toBe(0);
    expect(await world.series('payments_dispute_respond_by_seconds')).toEqual({ '': Infinity });
  });

  it.each(STATES)('$state: in the metrics and in the list', async ({ enter, metric, list, shown, left }) => {
    const { id } = await enter(world);
    world.simulator.clearFaults();
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/payment_intents', times: 0 });
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/payment_intents/:id', times: 0 });
    world.advance(HOUR_MS);
    // Looking in vain makes it no younger.
    await world.get(id);
    if (!left) await world.parts.carryOnOnce(60_000);

    expect((await world.series(metric.name))[metric.labels]).toBeGreaterThanOrEqual(metric.atLeast);
    const old = new Date(world.clock.now().getTime() - HOUR_MS / 2).toISOString();
    const row = (await listed({ ...list, created_lt: old })).find((one) => one.id === id);
    expect(row).toMatchObject(shown);
    expect((await world.timeline(id)).at(-1)).toMatchObject({ summary: expect.stringMatching(/\.$/), at: expect.stringMatching(/Z$/) });
  });

  it('every attempt counted by how it ended, also a second decline and an answer that is missing', async () => {
    await world.settle();
    const before = await world.series('payments_attempts_total');
    const attempts = async (result: string) =>
      ((await world.series('payments_attempts_total'))[`result="${result}"`] ?? 0) - (before[`result="${result}"`] ?? 0);
    const timed = async () => (await world.series('payments_duration_seconds_count'))['outcome="succeeded"'] ?? 0;
    const timedBefore = await timed();
    const { id } = await world.created({ payment_method: DECLINED });
    await world.confirm(id, { payment_method: DECLINED });
    expect(await attempts('declined')).toBe(2);
    world.simulator.addFault({ fault: 'reset_after', route: 'POST /v1/payment_intents', times: 1 });
    await world.created();
    await world.settle();
    expect([await attempts('unknown'), await attempts('succeeded')]).toEqual([1, 1]);
    expect((await timed()) - timedBefore).toBe(1);
  });

  it('a payment that was found at Stripe, but not as an attempt of ours', async () => {
    const counted = async () => [await world.series('payments_attempts_total'), await world.series('payments_duration_seconds_count')];
    const before = await counted();
    const intent = await world.stripe('payment_intents', {
      amount: '1500',
      currency: 'eur',
      confirm: 'true',
      payment_method: 'pm_card_visa',
      'automatic_payment_methods[enabled]': 'true',
      'automatic_payment_methods[allow_redirects]': 'never',
    });
    await catchUp(world, String(intent['id']));
    expect((await listed({ limit: '1' }))[0]).toMatchObject({ origin: 'dashboard', status: 'succeeded' });
    expect(await counted()).toEqual(before);
  });
});
