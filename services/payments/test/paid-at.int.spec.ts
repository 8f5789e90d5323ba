import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { paymentSubject } from '@tidegate/contracts/events/payment';
import { PaymentSnapshot } from '@tidegate/contracts/payment';
import { sql } from 'kysely';
import { type PaymentsWorld, paymentsWorld, VISA } from './payments-world.js';
import { catchUp } from './stripe-news.js';

jest.setTimeout(60_000);

const TWO_DAYS_MS = 48 * 3_600_000;

let world: PaymentsWorld;
beforeAll(async () => {
  world = await paymentsWorld({ runMs: 600, answerMs: 800 });
});
afterEach(() => world.simulator.clearFaults());
afterAll(() => world.close());

/** What the fact of its success says of when it was paid, and when that was recorded. */
async function told(stripePaymentIntent: string): Promise<{ paidAt: number; recordedAt: number }> {
  const { rows } = await sql<{ data: unknown; at: Date }>`
    SELECT convert_from(bytes, 'UTF8')::jsonb -> 'data' AS data, (convert_from(bytes, 'UTF8')::jsonb ->> 'occurred_at')::timestamptz AS at
    FROM outbox WHERE subject = ${paymentSubject('succeeded')}
      AND convert_from(bytes, 'UTF8')::jsonb -> 'data' ->> 'stripe_payment_intent' = ${stripePaymentIntent}`.execute(world.db);
  expect(rows).toHaveLength(1);
  return { paidAt: Date.parse(PaymentSnapshot.parse(rows[0]!.data).paid_at ?? ''), recordedAt: rows[0]!.at.getTime() };
}

const chargedAt = (intent: string): number => 1000 * world.truth().charges.find((one) => one.payment_intent === intent)!.created;

describe('When a payment was paid', () => {
  it('is when Stripe made its charge, although we hear of it days later', async () => {
    world.simulator.addFault({ fault: 'cut_body', route: 'POST /v1/payment_intents/:id/confirm', times: 1 });
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/payment_intents/:id', times: 0 });
    const { status, stripe_payment_intent: intent } = await world.created();
    expect(status).toBe('unknown');
    world.advance(TWO_DAYS_MS);
    world.simulator.clearFaults();
    await world.settle();
    const { paidAt, recordedAt } = await told(intent!);
    expect(paidAt).toBe(chargedAt(intent!));
    expect(recordedAt - paidAt).toBeGreaterThanOrEqual(TWO_DAYS_MS);
  });

  it('is not when it became known here, of one that somebody made at Stripe', async () => {
    const { id } = (await world.stripe('payment_intents', {
      amount: '1500',
      currency: 'usd',
      confirm: 'true',
      payment_method: VISA,
      'automatic_payment_methods[enabled]': 'true',
      'automatic_payment_methods[allow_redirects]': 'never',
    })) as { id: string };
    world.advance(TWO_DAYS_MS);
    await catchUp(world, id);
    expect((await told(id)).paidAt).toBe(chargedAt(id));
  });

  it('is, of one that was authorized before, when it was captured: as the news of it say, which may come late', async () => {
    const { stripe_payment_intent: intent } = await world.created({ capture_method: 'manual' });
    world.advance(3_600_000);
    const capturedAt = world.clock.now().getTime();
    await world.stripe(`payment_intents/${intent}/capture`, {});
    world.advance(TWO_DAYS_MS);
    await catchUp(world, intent);
    const { paidAt } = await told(intent!);
    expect(Math.abs(paidAt - capturedAt)).toBeLessThan(60_000);
  });

  it('is when it was recorded, where nobody says more: its charge is as old as the authorization', async () => {
    const { id, stripe_payment_intent: intent } = await world.created({ capture_method: 'manual' });
    world.advance(3_600_000);
    await world.capture(id);
    const { paidAt, recordedAt } = await told(intent!);
    expect(paidAt).toBe(recordedAt);
  });
});
