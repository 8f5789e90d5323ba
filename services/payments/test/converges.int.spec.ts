import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Incoming } from '@tidegate/messaging/incoming';
import fc from 'fast-check';
import { type PaymentsWorld, paymentsWorld } from './payments-world.js';
import { deliver, newsOf } from './stripe-news.js';

jest.setTimeout(120_000);

const CARDS = [
  'pm_card_visa',
  'pm_card_pendingRefund',
  'pm_card_refundFail',
  'pm_card_threeDSecure2Required',
  'pm_card_chargeDeclined',
] as const;
const BACK = 'https://shop.example/back';

/** What happens to a payment at Stripe, and `tell`: some of the news so far comes in, in some order, some of it twice. */
type Step =
  | { do: 'capture' | 'cancel'; amount?: number }
  | { do: 'refund'; amount: number; by: 'us' | 'dashboard' }
  | { do: 'dispute'; kind: 'inquiry' | 'chargeback'; amount: number }
  | { do: 'decide'; outcome: 'won' | 'lost' | 'escalated' | 'warning_closed' }
  | { do: 'pay'; with: string; by: 'us' | 'page' }
  | { do: 'authenticate'; outcome: 'pass' | 'fail' }
  | { do: 'pass'; seconds: number }
  | { do: 'tell'; order: number[] };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('capture' as const, 'cancel' as const), amount: fc.constantFrom(4200, 4000) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('refund' as const),
      amount: fc.constantFrom(300, 1000, 4200),
      by: fc.constantFrom('us' as const, 'dashboard' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('dispute' as const),
      kind: fc.constantFrom('inquiry' as const, 'chargeback' as const),
      amount: fc.constantFrom(500, 4000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('decide' as const), outcome: fc.constantFrom('won', 'lost', 'escalated', 'warning_closed') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('pay' as const),
      with: fc.constantFrom('pm_card_visa', 'pm_card_chargeDeclinedInsufficientFunds', 'pm_card_threeDSecure2Required'),
      by: fc.constantFrom('us' as const, 'page' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('authenticate' as const), outcome: fc.constantFrom('pass' as const, 'fail' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pass' as const), seconds: fc.constantFrom(60, 8 * 86_400) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('tell' as const), order: fc.array(fc.nat(1000), { maxLength: 12 }) }) },
) as fc.Arbitrary<Step>;

describe('Whatever happens at Stripe, and in whatever order and however often it is told', () => {
  let world: PaymentsWorld;
  beforeAll(async () => {
    world = await paymentsWorld();
  });
  afterAll(() => world.close());

  it('a payment with its refunds and disputes ends as Stripe has it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...CARDS),
        fc.constantFrom('automatic', 'manual'),
        fc.array(step, { minLength: 2, maxLength: 8 }),
        fc.array(fc.nat(1000), { minLength: 4, maxLength: 30 }),
        async (payment_method, capture_method, steps, lastOrder) => {
          const { id, stripe_payment_intent } = await world.created({ payment_method, capture_method, return_url: BACK });
          const intent = stripe_payment_intent as string;
          for (const one of steps) await act(id, intent, one);
          await tell(intent, lastOrder);
          await tellTheRest(intent);
          expect(await told(id)).toEqual(truth(intent));
        },
      ),
      { numRuns: 24, seed: 4, endOnFailure: true },
    );
  });

  const newsAbout = (intent: string): Incoming[] => newsOf(world).filter((one) => one.aggregate === intent);

  async function tell(intent: string, order: readonly number[]): Promise<void> {
    const news = newsAbout(intent);
    for (const n of order) await hear(news[n % news.length] as Incoming);
  }

  /** Everything, until Stripe has nothing more to tell. */
  async function tellTheRest(intent: string): Promise<void> {
    world.advance(60_000);
    for (let heard = -1; heard !== newsAbout(intent).length;) {
      const news = newsAbout(intent);
      heard = news.length;
      for (const message of news.toSorted((a, b) => (a.messageId < b.messageId ? -1 : 1))) await hear(message);
      await world.settle();
    }
  }

  const hear = (message: Incoming): Promise<void> => deliver(world, message);

  /** Stripe refuses what the state does not allow; then nothing happens. */
  async function act(id: string, payment_intent: string, one: Step): Promise<void> {
    const atStripe = (action: string, body: object) => world.dashboard(action, { payment_intent, ...body }).catch(() => undefined);
    switch (one.do) {
      case 'capture':
        return void (await world.stripe(`payment_intents/${payment_intent}/capture`, { amount_to_capture: String(one.amount) }));
      case 'cancel':
        return void (await atStripe('cancel', {}));
      case 'refund':
        return void (await (one.by === 'us' ? world.refund(id, { amount: one.amount }) : atStripe('refund', { amount: one.amount })));
      case 'dispute':
        return void (await atStripe('dispute', { kind: one.kind, amount: one.amount }));
      case 'decide':
        return void (await atStripe('close_dispute', { outcome: one.outcome }));
      case 'pay':
        return void (await (one.by === 'us'
          ? world.confirm(id, { payment_method: one.with })
          : world.stripe(`payment_intents/${payment_intent}/confirm`, { payment_method: one.with, return_url: BACK })));
      case 'authenticate':
        return void (await atStripe('complete_action', { outcome: one.outcome }));
      case 'pass':
        return world.advance(one.seconds * 1000);
      case 'tell':
        return tell(payment_intent, one.order);
    }
  }

  const byId = (a: { id: string | null }, b: { id: string | null }) => ((a.id ?? '') < (b.id ?? '') ? -1 : 1);

  async function told(id: string) {
    const row = await world.db.selectFrom('payments').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    return {
      status: row.status,
      captured: row.amount_captured,
      refunded: row.amount_refunded,
      refunds: row.refunds
        .filter(({ stripe_refund }) => stripe_refund !== null)
        .map(({ stripe_refund, status, amount }) => ({ id: stripe_refund, status: status as string, amount }))
        .sort(byId),
      disputes: row.disputes
        .map(({ id: dispute, status, amount, funds }) => ({ id: dispute, status: status as string, amount, funds }))
        .sort(byId),
    };
  }

  const STATUS: Readonly<Record<string, string>> = { requires_capture: 'authorized' };

  function truth(intentId: string): Awaited<ReturnType<typeof told>> {
    const { intents, refunds, disputes } = world.truth();
    const intent = intents.find((one) => one.id === intentId);
    const mine = refunds.filter((one) => one.payment_intent === intentId);
    return {
      status: STATUS[intent?.status ?? ''] ?? intent?.status ?? '',
      captured: intent?.amount_received ?? 0,
      refunded: mine.filter(({ status }) => status === 'succeeded' || status === 'pending').reduce((sum, { amount }) => sum + amount, 0),
      refunds: mine.map(({ id, status, amount }) => ({ id, status, amount })).sort(byId),
      disputes: disputes
        .filter((one) => one.payment_intent === intentId)
        .map(({ id, status, amount, balance_transactions: moved }) => ({
          id,
          status,
          amount,
          funds: moved[0]
            ? {
                currency: moved[0].currency,
                withdrawn: moved.reduce((sum, one) => sum + Math.max(0, -one.amount), 0),
                reinstated: moved.reduce((sum, one) => sum + Math.max(0, one.amount), 0),
                fee: moved.reduce((sum, one) => sum + one.fee, 0),
              }
            : null,
        }))
        .sort(byId),
    };
  }
});
