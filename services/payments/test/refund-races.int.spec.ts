import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type PaymentsWorld, paymentsWorld } from './payments-world.js';
import { deliver, newsOf } from './stripe-news.js';

jest.setTimeout(60_000);

const HOUR_MS = 3_600_000;
const REFUND = 'POST /v1/refunds';

describe('A refund without an answer', () => {
  let world: PaymentsWorld;
  let loop: ReturnType<PaymentsWorld['start']>;
  /** What else happens, once, before the second replica writes down what its look-up has told. */
  let meanwhile: (() => Promise<void>) | null = null;
  beforeAll(async () => {
    world = await paymentsWorld();
    loop = world.start({
      hit: async (name) => {
        const run = name === 'payments.lookup.recorded.before_commit' ? meanwhile : null;
        if (!run) return;
        meanwhile = null;
        await run();
      },
    });
    await loop.parts.start();
  });
  afterAll(() => world.close());

  const carryOn = async () => {
    while ((await loop.parts.carryOnOnce(60_000)) > 0);
  };

  it('that comes into effect, and is told, while its absence is written down for good is no second one', async () => {
    const { id, stripe_payment_intent } = await world.created();
    world.simulator.addFault({ fault: 'error_500_before', route: REFUND, times: 1 });
    const ask = (amount: number, key?: string) => world.refund(id, { amount }, key);
    const refund = world.json<{ id: string; status: string }>(await ask(2000, 'late'));
    expect(refund.status).toBe('unknown');
    meanwhile = async () => {
      await world.dashboard('refund', { payment_intent: stripe_payment_intent, amount: 2000, metadata: { refund_id: refund.id } });
      for (const message of newsOf(world).filter((one) => one.aggregate === stripe_payment_intent)) await deliver(world, message);
    };
    world.advance(2 * HOUR_MS);
    await carryOn();
    expect(meanwhile).toBeNull();
    expect(await world.get(id)).toMatchObject({ amount_refunded: 2000, refunds: [{ id: refund.id, status: 'succeeded' }] });
    expect(world.json(await ask(2000, 'late'))).toMatchObject({ id: refund.id, status: 'succeeded' });
    expect(world.json<{ code: string }>(await ask(2201)).code).toBe('payments.refund_exceeds_captured');
  });
});
