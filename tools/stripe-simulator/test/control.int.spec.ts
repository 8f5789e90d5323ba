import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, PAY, control, eventually, givenSimulator } from './given.js';

let given: Given;
let stripe: Stripe;
beforeEach(async () => {
  given = await givenSimulator();
  ({ stripe } = given);
});
afterEach(() => given.end());

describe('The truth', () => {
  it('shows every object and request', async () => {
    const intent = await stripe.paymentIntents.create(PAY, { idempotencyKey: 'k' });
    await stripe.refunds.create({ payment_intent: intent.id });
    const { value } = await control(given.simulator, 'GET', '/__truth');
    expect(Object.keys(value)).toEqual([
      'payment_intents',
      'charges',
      'refunds',
      'disputes',
      'balance_transactions',
      'checkout_sessions',
      'customers',
      'subscriptions',
      'invoices',
      'payouts',
      'meter_events',
      'events',
      'requests',
      'webhook_deliveries',
    ]);
    expect(value).toMatchObject({ payment_intents: [{ id: intent.id }], charges: [{ refunded: true }], refunds: [{ amount: 2000 }] });
    const { requests } = value as { requests: object[] };
    expect(requests[0]).toMatchObject({
      method: 'POST',
      path: '/v1/payment_intents',
      idempotency_key: 'k',
      status: 200,
      at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  it('shows parts', async () => {
    expect((await control(given.simulator, 'GET', '/__truth?only=refunds,charges')).value).toEqual({ charges: [], refunds: [] });
  });
});

describe('The clock', () => {
  it('moves forward and drives what is created', async () => {
    const { value } = await control(given.simulator, 'POST', '/__clock', { advance_seconds: 86_400 });
    expect(value).toMatchObject({ offset_seconds: 86_400 });
    const customer = await stripe.customers.create({});
    expect(customer.created).toBeGreaterThan(Date.now() / 1000 + 86_000);
    expect((await control(given.simulator, 'POST', '/__clock', { advance_seconds: -1 })).status).toBe(400);
  });
});

describe('A reset', () => {
  it('forgets everything but the endpoints given at start, and repeats no id', async () => {
    const before = await stripe.paymentIntents.create(PAY);
    await stripe.webhookEndpoints.create({ url: 'http://127.0.0.1:9/x', enabled_events: ['*'] });
    given.simulator.addFault({ fault: 'hang' });
    await control(given.simulator, 'POST', '/__clock', { advance_seconds: 60 });
    await control(given.simulator, 'POST', '/__reset');
    expect((await stripe.paymentIntents.list()).data).toEqual([]);
    expect((await stripe.webhookEndpoints.list()).data.map(({ url }) => url)).toEqual([given.receiver.url]);
    expect((await control(given.simulator, 'GET', '/__clock')).value).toMatchObject({ offset_seconds: 0 });
    const received = given.receiver.received.length;
    expect((await stripe.paymentIntents.create(PAY)).id).not.toBe(before.id);
    await eventually(() => given.receiver.received.length > received);
  });
});

describe('A person in the dashboard', () => {
  it('refunds, with the event or silently', async () => {
    const intent = await stripe.paymentIntents.create(PAY);
    const types = (): string[] => given.simulator.world.events.records.all().map(({ event }) => event.type);
    expect(
      (await control(given.simulator, 'POST', '/__dashboard/refund', { payment_intent: intent.id, amount: 500, silent: true })).value,
    ).toMatchObject({ amount: 500 });
    expect(types()).not.toContain('refund.created');
    await control(given.simulator, 'POST', '/__dashboard/refund', { payment_intent: intent.id });
    expect(types()).toContain('refund.created');
    expect((await stripe.refunds.list({ payment_intent: intent.id })).data).toHaveLength(2);
  });

  it('cancels', async () => {
    const intent = await stripe.paymentIntents.create({ amount: 500, currency: 'usd' });
    expect((await control(given.simulator, 'POST', '/__dashboard/cancel', { payment_intent: intent.id })).value).toMatchObject({
      status: 'canceled',
    });
    expect(await control(given.simulator, 'POST', '/__dashboard/cancel', { payment_intent: intent.id })).toMatchObject({ status: 400 });
  });

  it('changes what the API could not', async () => {
    const intent = await stripe.paymentIntents.create(PAY);
    await control(given.simulator, 'POST', '/__dashboard/edit', { id: intent.id, changes: { amount: 1, metadata: {} }, silent: true });
    expect(await stripe.paymentIntents.retrieve(intent.id)).toMatchObject({ amount: 1, metadata: {} });
  });

  it.each([
    ['refund', {}],
    ['refund', { payment_intent: 'pi_x' }],
    ['edit', { id: 'nothing', changes: {} }],
    ['edit', { id: 'nothing', changes: 'x' }],
    ['fly', {}],
  ])('is told what is wrong with %s %j', async (action, body) => {
    const { status, value } = await control(given.simulator, 'POST', `/__dashboard/${action}`, body);
    expect([400, 404]).toContain(status);
    expect(value).toHaveProperty('error');
  });
});

describe('The control routes', () => {
  it('answer healthz, and 404 for what they do not know', async () => {
    expect(await control(given.simulator, 'GET', '/healthz')).toEqual({ status: 200, value: { status: 'ok' } });
    expect((await control(given.simulator, 'GET', '/__nothing')).status).toBe(404);
    expect((await fetch(`${given.simulator.url}/__faults`, { method: 'POST', body: '{' })).status).toBe(400);
  });
});

describe('A page from elsewhere', () => {
  const ask = (origin: string | undefined, method: string, path: string, body?: object): Promise<Response> =>
    fetch(`${given.simulator.url}${path}`, {
      method,
      headers: { 'Content-Type': 'text/plain', ...(origin !== undefined && { Origin: origin }) },
      ...(body && { body: JSON.stringify(body) }),
    });

  it.each(['https://evil.example', 'null', 'http://127.0.0.1', 'http://127.0.0.1:1'])('that is %s is refused', async (origin) => {
    const intent = await stripe.paymentIntents.create(PAY);
    const tried = [
      await ask(origin, 'POST', '/__reset'),
      await ask(origin, 'POST', '/__faults', { fault: 'hang' }),
      await ask(origin, 'DELETE', '/__faults'),
      await ask(origin, 'POST', '/__clock', { advance_seconds: 60 }),
      await ask(origin, 'POST', '/__dashboard/refund', { payment_intent: intent.id }),
      await ask(origin, 'GET', '/__truth'),
      await ask(origin, 'POST', '/__checkout/cs_test_x'),
    ];
    expect(tried.map(({ status }) => status)).toEqual(tried.map(() => 403));
    expect(await tried[0]!.json()).toEqual({ error: 'Only pages of the simulator itself may ask for this.' });
    expect(await stripe.paymentIntents.retrieve(intent.id)).toMatchObject({ status: 'succeeded' });
    expect(given.simulator.truth(['refunds'])).toEqual({ refunds: [] });
    expect(given.simulator.world.faults.isEmpty()).toBe(true);
    expect(given.simulator.world.clock.offsetSeconds()).toBe(0);
  });

  it.each([undefined, 'own'])('is not what sends the origin %s', async (origin) => {
    const sent = origin && given.simulator.url;
    expect((await ask(sent, 'POST', '/__clock', { advance_seconds: 1 })).status).toBe(200);
    expect((await ask(sent, 'POST', '/__reset')).status).toBe(200);
  });
});

describe('Late truth', () => {
  it('lets a balance transaction come later and a refund fail after its success', async () => {
    given.simulator.addFault({ fault: 'late_balance', ms: 3_600_000 });
    const intent = await stripe.paymentIntents.create({ ...PAY, expand: ['latest_charge'] });
    given.simulator.addFault({ fault: 'late_failure', ms: 7_200_000 });
    const refund = await stripe.refunds.create({ payment_intent: intent.id });
    const charge = (intent.latest_charge as Stripe.Charge).id;
    expect((await stripe.charges.retrieve(charge)).balance_transaction).toBeNull();
    given.simulator.advanceClock(3601);
    expect((await stripe.charges.retrieve(charge)).balance_transaction).not.toBeNull();
    expect((await stripe.refunds.retrieve(refund.id)).status).toBe('succeeded');
    given.simulator.advanceClock(3601);
    expect((await stripe.refunds.retrieve(refund.id)).status).toBe('failed');
  });

  it('meets only the request that the fault names', async () => {
    given.simulator.addFault({ fault: 'late_balance', ms: 3_600_000, route: 'POST /v1/payment_intents/:id/capture' });
    const atOnce = await stripe.paymentIntents.create({ ...PAY, capture_method: 'automatic', expand: ['latest_charge'] });
    expect((atOnce.latest_charge as Stripe.Charge).balance_transaction).toMatch(/^txn_/);
    const held = await stripe.paymentIntents.create({ ...PAY, capture_method: 'manual' });
    const taken = await stripe.paymentIntents.capture(held.id);
    given.simulator.advanceClock(3000);
    expect((await stripe.charges.retrieve(taken.latest_charge as string)).balance_transaction).toBeNull();
    given.simulator.advanceClock(601);
    expect((await stripe.charges.retrieve(taken.latest_charge as string)).balance_transaction).toMatch(/^txn_/);
  });

  it('comes late even where capture is synchronous', async () => {
    given.simulator.addFault({ fault: 'late_balance', ms: 3_600_000 });
    const intent = await stripe.paymentIntents.create({ ...PAY, capture_method: 'automatic', expand: ['latest_charge'] });
    expect((intent.latest_charge as Stripe.Charge).balance_transaction).toBeNull();
  });
});

describe('An edit', () => {
  it.each([{ status: 'paid' }, { amount: '1' }, { metadata: null }, { colour: 'red' }, { object: 'charge' }])(
    'refuses what Stripe could not show: %j',
    async (changes) => {
      const intent = await stripe.paymentIntents.create(PAY);
      const { status, value } = await control(given.simulator, 'POST', '/__dashboard/edit', { id: intent.id, changes });
      expect([status, (value as { error: { param: string } }).error.param]).toEqual([400, 'changes']);
      expect((await stripe.paymentIntents.retrieve(intent.id)).status).toBe('succeeded');
    },
  );

  it('may change any object that there is into what it is', async () => {
    const intent = await stripe.paymentIntents.create(PAY);
    await stripe.refunds.create({ payment_intent: intent.id, amount: 100 });
    await stripe.customers.create({});
    const { paymentIntents, charges, refunds, customers, paymentMethods, balanceTransactions } = given.simulator.world;
    await eventually(() => balanceTransactions.size > 0);
    for (const collection of [paymentIntents, charges, refunds, customers, paymentMethods, balanceTransactions]) {
      const [one] = collection.all();
      expect(await control(given.simulator, 'POST', '/__dashboard/edit', { id: one!.id, changes: {} })).toMatchObject({ status: 200 });
    }
  });
});

describe('A clock that was moved very often', () => {
  it('stays a clock', async () => {
    const advance = (seconds: number): Promise<{ status: number; value: { offset_seconds: number } }> =>
      control(given.simulator, 'POST', '/__clock', { advance_seconds: seconds });
    given.simulator.world.clock.setOffsetSeconds(1e11 - 5);
    expect((await advance(6)).status).toBe(400);
    expect((await advance(5)).value.offset_seconds).toBe(1e11);
    expect((await stripe.customers.create({})).created).toBeGreaterThan(1e11);
  });
});
