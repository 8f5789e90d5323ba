import { afterEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type SimulatorOptions } from '../src/simulator.js';
import { type Given, PAY, errorOf, eventually, givenSimulator, sdk } from './given.js';

let given: Given;
let stripe: Stripe;
async function start(options: SimulatorOptions): Promise<void> {
  given = await givenSimulator(options);
  ({ stripe } = given);
}
afterEach(() => given.end());

const manual = (): Promise<Stripe.PaymentIntent> => stripe.paymentIntents.create({ ...PAY, capture_method: 'manual' });

describe('Rate limits', () => {
  it('are off unless asked for', async () => {
    await start({});
    const answers = await Promise.all(Array.from({ length: 60 }, () => stripe.customers.list()));
    expect(answers).toHaveLength(60);
  });

  it('answer 429 with their reason, do nothing, and leave the key free', async () => {
    await start({ rateLimits: { endpointPerSecond: 2 } });
    const keys = Array.from({ length: 20 }, (_, at) => `key-${at}`);
    const answers = await Promise.all(
      keys.map((idempotencyKey) => stripe.customers.create({}, { idempotencyKey }).catch((error: unknown) => error)),
    );
    const limited = keys.filter((_, at) => answers[at] instanceof Error);
    expect(limited.length).toBeGreaterThan(0);
    expect(given.simulator.world.customers.size).toBe(keys.length - limited.length);
    for (const error of answers.filter((answer) => answer instanceof Error)) {
      expect(error).toMatchObject({ type: 'StripeRateLimitError', statusCode: 429, code: 'rate_limit' });
      expect((error as Stripe.errors.StripeError).headers?.['stripe-rate-limited-reason']).toBe('endpoint-rate');
    }
    const idempotencyKey = limited[0]!;
    const later = await eventually(() => stripe.customers.create({}, { idempotencyKey }).catch(() => undefined));
    expect(later.lastResponse.headers['idempotent-replayed']).toBeUndefined();
  });

  it('are one bucket for each connected account', async () => {
    await start({ rateLimits: { accountPerSecond: 1 } });
    const reasonsOf = (stripeAccount: string, times: number): Promise<unknown[]> =>
      Promise.all(
        Array.from({ length: times }, () =>
          stripe.customers.list({}, { stripeAccount }).then(
            () => 'in',
            (error: Stripe.errors.StripeError) => error.headers?.['stripe-rate-limited-reason'],
          ),
        ),
      );
    const [one, other] = await Promise.all([reasonsOf('acct_one', 12), reasonsOf('acct_two', 1)]);
    expect(new Set(one)).toEqual(new Set(['in', 'global-rate']));
    expect(other).toEqual(['in']);
  });

  it('bound what runs at once, and let go of it at the end', async () => {
    await start({ rateLimits: { endpointConcurrent: 1 } });
    given.simulator.addFault({ fault: 'slow', ms: 1_500, route: 'POST /v1/customers' });
    const first = stripe.customers.create({});
    await eventually(() => given.simulator.world.customers.size === 1);
    expect(await errorOf(stripe.customers.create({}))).toMatchObject({ headers: { 'stripe-rate-limited-reason': 'endpoint-concurrency' } });
    await first;
    await stripe.customers.create({});
  });
});

describe('When two requests want the same object at once', () => {
  it('the second waits for the first', async () => {
    await start({});
    const { id } = await manual();
    given.simulator.addFault({ fault: 'slow', ms: 80, route: 'POST /v1/payment_intents/:id/capture' });
    const captured = stripe.paymentIntents.capture(id);
    await eventually(async () => (await stripe.paymentIntents.retrieve(id)).status === 'succeeded');
    const order: string[] = [];
    const second = stripe.refunds.create({ payment_intent: id }).then(() => order.push('refund'));
    await captured.then(() => order.push('capture'));
    await second;
    expect(order).toEqual(['capture', 'refund']);
  });

  it('the second gets lock_timeout without a reason header when it waited too long, and its key stays free', async () => {
    await start({ lockWaitMs: 30 });
    const { id, latest_charge: charge } = await manual();
    given.simulator.addFault({ fault: 'slow', ms: 60_000, route: 'POST /v1/payment_intents/:id/capture' });
    const captured = errorOf(stripe.paymentIntents.capture(id));
    await eventually(async () => (await stripe.paymentIntents.retrieve(id)).status === 'succeeded');
    const key = { idempotencyKey: 'second' };
    for (const refused of [
      stripe.paymentIntents.update(id, { description: 'x' }, key),
      stripe.refunds.create({ payment_intent: id }),
      stripe.refunds.create({ charge: charge as string }),
    ]) {
      const error = await errorOf(refused);
      expect(error).toMatchObject({ type: 'StripeRateLimitError', statusCode: 429, code: 'lock_timeout' });
      expect(error.headers?.['stripe-rate-limited-reason']).toBeUndefined();
    }
    expect(given.simulator.world.idempotency.all().map((record) => record.key)).not.toContain('second');
    await given.simulator.close();
    expect((await captured).type).toBe('StripeConnectionError');
  });

  it('reading and other objects go on', async () => {
    await start({ lockWaitMs: 10 });
    const [one, other] = [await manual(), await manual()];
    given.simulator.addFault({ fault: 'slow', ms: 150, route: 'POST /v1/payment_intents/:id/capture' });
    const captured = stripe.paymentIntents.capture(one.id);
    await eventually(async () => (await stripe.paymentIntents.retrieve(one.id)).status === 'succeeded');
    expect((await stripe.paymentIntents.cancel(other.id)).status).toBe('canceled');
    expect((await captured).status).toBe('succeeded');
    expect((await sdk(given.simulator).paymentIntents.update(one.id, { description: 'free again' })).description).toBe('free again');
  });
});

describe('What is remembered of the past', () => {
  it('is bounded, and the newest stays', async () => {
    await start({ keptRequests: 8, keptDeliveries: 4, keptIdempotencyKeys: 5 });
    const { world } = given.simulator;
    for (let i = 0; i < 20; i += 1) await stripe.customers.create({}, { idempotencyKey: `key-${i}` });
    await eventually(() => world.deliveries.total() === 20);
    expect([world.requests.all().length, world.deliveries.all().length]).toEqual([8, 4]);
    expect(world.idempotency.all().map(({ key }) => key)).toEqual(['key-15', 'key-16', 'key-17', 'key-18', 'key-19']);
    expect(given.simulator.truth(['requests']).requests.at(-1)).toMatchObject({ idempotency_key: 'key-19', status: 200 });
  });
});
