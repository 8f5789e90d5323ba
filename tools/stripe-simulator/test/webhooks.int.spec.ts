import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, PAY, SECRET, type Received, errorOf, eventually, givenSimulator } from './given.js';

let given: Given;
let stripe: Stripe;
beforeEach(async () => {
  given = await givenSimulator({ deliverySchedule: [20, 20], balanceDelayMs: 60_000 });
  ({ stripe } = given);
});
afterEach(() => given.end());

const typesOf = (received: readonly Received[]): string[] => received.map(({ event }) => event.type).sort();
const received = (count: number): Promise<unknown> => eventually(() => given.receiver.received.length >= count);
const customer = (): Promise<Stripe.Customer> => stripe.customers.create({});
const deliveries = (): readonly { result: string; attempt: number; status: number | null; event: string; fault: string | null }[] =>
  given.simulator.world.deliveries.all();
const valid = ({ body, headers }: Received, secret = SECRET): boolean => {
  try {
    stripe.webhooks.constructEvent(body, headers['stripe-signature'] as string, secret);
    return true;
  } catch {
    return false;
  }
};

describe('A delivery', () => {
  it('carries a signed, pretty-printed event that the SDK accepts', async () => {
    await stripe.paymentIntents.create(PAY);
    await received(3);
    expect(typesOf(given.receiver.received)).toEqual(['charge.succeeded', 'payment_intent.created', 'payment_intent.succeeded']);
    const [first] = given.receiver.received;
    expect(valid(first!)).toBe(true);
    expect(first!.body).toBe(JSON.stringify(first!.event, null, 2));
    expect(first!.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
    });
    expect(first!.event).toMatchObject({ api_version: '2026-10-28.endive', pending_webhooks: 1 });
  });

  it('is repeated on the schedule with a fresh signature until a 2xx', async () => {
    given.receiver.answerWith = () => (given.receiver.received.length < 3 ? 500 : 200);
    await customer();
    await received(3);
    await eventually(() => deliveries().length === 3);
    expect(deliveries().map(({ result, attempt, status }) => [result, attempt, status])).toEqual([
      ['failed', 1, 500],
      ['failed', 2, 500],
      ['delivered', 3, 200],
    ]);
    expect(given.receiver.received.every((one) => valid(one))).toBe(true);
    expect(new Set(given.receiver.received.map(({ body }) => body)).size).toBe(1);
  });

  it('counts a redirect as failed and gives up at the end of the schedule', async () => {
    given.receiver.answerWith = () => 302;
    await customer();
    await eventually(() => deliveries().length === 3);
    expect(given.simulator.world.deliveries.unfinished()).toEqual([]);
    const undelivered = await stripe.events.list({ delivery_success: false });
    expect(undelivered.data).toMatchObject([{ type: 'customer.created', pending_webhooks: 1 }]);
  });

  it('retries by the virtual clock', async () => {
    await given.end();
    given = await givenSimulator({ deliverySchedule: [3_600_000] });
    ({ stripe } = given);
    given.receiver.answerWith = () => (given.receiver.received.length < 2 ? 500 : 200);
    await customer();
    await eventually(() => deliveries().length === 1);
    given.simulator.advanceClock(3601);
    await received(2);
  });

  it('is marked as delivered on the event', async () => {
    await customer();
    await eventually(async () => (await stripe.events.list({ delivery_success: true })).data[0]?.pending_webhooks === 0);
  });
});

describe('An endpoint', () => {
  it('gets only what it asked for, in its version, signed with the secret shown once', async () => {
    const created = await stripe.webhookEndpoints.create({
      url: given.receiver.url,
      enabled_events: ['customer.updated'],
      api_version: '2026-08-26.dahlia' as never,
    });
    expect(created.secret).toMatch(/^whsec_/);
    expect((await stripe.webhookEndpoints.retrieve(created.id)).secret).toBeUndefined();
    const { id } = await customer();
    await stripe.customers.update(id, { name: 'Ada' });
    await received(3);
    const own = given.receiver.received.filter((one) => valid(one, created.secret));
    expect(own.map(({ event }) => [event.type, event.api_version])).toEqual([['customer.updated', '2026-08-26.dahlia']]);
    expect(own[0]!.event.data.previous_attributes).toEqual({ name: null });
    expect(own[0]!.event.pending_webhooks).toBe(2);
  });

  it('counts for itself: another endpoint that gets an event twice does not deliver it for this one', async () => {
    const silent = await stripe.webhookEndpoints.create({ url: 'http://127.0.0.1:9/silent', enabled_events: ['customer.created'] });
    given.simulator.addFault({ fault: 'webhook_duplicate', copies: 2 });
    await customer();
    await received(3);
    await eventually(() => deliveries().filter(({ result }) => result === 'delivered').length === 3);
    const [event] = (await stripe.events.list()).data;
    expect([event!.pending_webhooks, given.simulator.world.events.records.get(event!.id)?.undelivered]).toEqual([1, [silent.id]]);
  });

  it('gets no retries while disabled, and gets them again once enabled before the next', async () => {
    await given.end();
    given = await givenSimulator({ deliverySchedule: [60_000, 60_000] });
    ({ stripe } = given);
    given.receiver.answerWith = () => (given.receiver.received.length < 2 ? 500 : 200);
    const [fixed] = (await stripe.webhookEndpoints.list()).data;
    await customer();
    await eventually(() => deliveries().length === 1);
    await stripe.webhookEndpoints.update(fixed!.id, { disabled: true });
    given.simulator.advanceClock(61);
    await eventually(() => given.simulator.world.deliveries.unfinished()[0]?.attempts === 2);
    expect(given.receiver.received).toHaveLength(1);
    await stripe.webhookEndpoints.update(fixed!.id, { disabled: false });
    given.simulator.advanceClock(61);
    await received(2);
  });

  it('gets nothing while disabled or after it was deleted', async () => {
    const [fixed] = (await stripe.webhookEndpoints.list()).data;
    await stripe.webhookEndpoints.update(fixed!.id, { disabled: true });
    await customer();
    expect(await stripe.webhookEndpoints.del(fixed!.id)).toEqual(expect.objectContaining({ id: fixed!.id, deleted: true }));
    await customer();
    expect((await stripe.events.list()).data.map(({ pending_webhooks: pending }) => pending)).toEqual([0, 0]);
    expect(await errorOf(stripe.webhookEndpoints.retrieve(fixed!.id))).toMatchObject({ statusCode: 404, code: 'resource_missing' });
  });

  it('refuses a changed version and a URL without a scheme', async () => {
    const [fixed] = (await stripe.webhookEndpoints.list()).data;
    expect(await errorOf(stripe.webhookEndpoints.update(fixed!.id, { api_version: '2026-10-28.endive' } as never))).toMatchObject({
      code: 'parameter_unknown',
      param: 'api_version',
    });
    expect(await errorOf(stripe.webhookEndpoints.create({ url: 'example.com', enabled_events: ['*'] }))).toMatchObject({ param: 'url' });
    expect(
      await errorOf(stripe.webhookEndpoints.create({ url: 'https://example.com', enabled_events: ['payment_intent.failed' as never] })),
    ).toMatchObject({ param: 'enabled_events[0]' });
  });
});

describe('A delivery fault', () => {
  it('drops events that can then only be found in the list', async () => {
    given.simulator.addFault({ fault: 'webhook_drop', event_type: 'customer.*' });
    await customer();
    await customer();
    await received(1);
    await eventually(() => deliveries().length === 2);
    expect(deliveries().map(({ result }) => result)).toEqual(['dropped', 'delivered']);
    expect((await stripe.events.list({ delivery_success: false })).data).toHaveLength(1);
  });

  it('drops a tenth, the same ones for the same seed', async () => {
    given.simulator.addFault({ fault: 'webhook_drop', probability: 0.1, seed: 7 });
    for (let i = 0; i < 100; i += 1) await customer();
    await eventually(() => deliveries().length === 100);
    const dropped = deliveries().filter(({ result }) => result === 'dropped').length;
    expect(dropped).toBeGreaterThan(2);
    expect(dropped).toBeLessThan(25);
  });

  it('delivers the same event again', async () => {
    given.simulator.addFault({ fault: 'webhook_duplicate', copies: 4 });
    await customer();
    await received(5);
    expect(new Set(given.receiver.received.map(({ event }) => event.id)).size).toBe(1);
    await eventually(async () => (await stripe.events.list()).data[0]?.pending_webhooks === 0);
  });

  it('makes two events of one change', async () => {
    given.simulator.addFault({ fault: 'webhook_two_events' });
    const { id } = await customer();
    await received(2);
    expect(new Set(given.receiver.received.map(({ event }) => event.id)).size).toBe(2);
    expect(given.receiver.received.map(({ event }) => (event.data.object as { id: string }).id)).toEqual([id, id]);
  });

  it('delivers in another order', async () => {
    given.simulator.addFault({ fault: 'webhook_reorder', times: 0, ms: 100 });
    for (let i = 0; i < 8; i += 1) await customer();
    await received(8);
    const order = given.simulator.world.events.records.all().map(({ id }) => id);
    const arrived = given.receiver.received.map(({ event }) => event.id);
    expect(arrived).not.toEqual(order);
    expect([...arrived].sort()).toEqual([...order].sort());
  });

  it('delays the first attempt', async () => {
    given.simulator.addFault({ fault: 'webhook_delay', ms: 150, event_type: 'customer.created' });
    const { id } = await customer();
    await stripe.customers.update(id, { name: 'B' });
    await received(2);
    expect(given.receiver.received.map(({ event }) => event.type)).toEqual(['customer.updated', 'customer.created']);
  });

  it('signs wrongly once, and rightly at the next attempt', async () => {
    given.receiver.answerWith = (one) => (valid(one) ? 200 : 400);
    given.simulator.addFault({ fault: 'webhook_bad_signature' });
    await customer();
    await received(2);
    expect(given.receiver.received.map((one) => valid(one))).toEqual([false, true]);
  });

  it('signs with a time outside the tolerance', async () => {
    given.simulator.addFault({ fault: 'webhook_skew', ms: -400_000 });
    await customer();
    await received(1);
    expect(valid(given.receiver.received[0]!)).toBe(false);
  });
});

describe('Events', () => {
  it('keep the object as it was', async () => {
    const { id } = await stripe.customers.create({ name: 'before' });
    await stripe.customers.update(id, { name: 'after' });
    const [updated, created] = (await stripe.events.list()).data;
    expect(created!.data.object).toMatchObject({ id, name: 'before' });
    expect((await stripe.events.retrieve(updated!.id)).data).toMatchObject({
      object: { name: 'after' },
      previous_attributes: { name: 'before' },
    });
  });

  it('are found by type, pattern and several types', async () => {
    await stripe.paymentIntents.create(PAY);
    await customer();
    const types = async (params: Stripe.EventListParams): Promise<string[]> =>
      (await stripe.events.list(params)).data.map(({ type }) => type);
    expect(await types({ type: 'charge.*' })).toEqual(['charge.succeeded']);
    expect(await types({ types: ['payment_intent.created', 'customer.created'] })).toEqual(['customer.created', 'payment_intent.created']);
    expect(await errorOf(stripe.events.list({ type: 'a', types: ['b'] }))).toMatchObject({ statusCode: 400 });
  });

  it('are caught up from a known one towards newer ones', async () => {
    await customer();
    const [seen] = (await stripe.events.list()).data;
    await customer();
    await customer();
    const missed = await stripe.events.list({ ending_before: seen!.id, limit: 1 });
    expect(missed.has_more).toBe(true);
    expect(missed.data[0]!.id).toBe(given.simulator.world.events.records.all()[1]!.id);
  });

  it('are gone after 30 days', async () => {
    await customer();
    const [event] = (await stripe.events.list()).data;
    given.simulator.advanceClock(30 * 86_400 + 1);
    expect((await stripe.events.list()).data).toEqual([]);
    expect(await errorOf(stripe.events.retrieve(event!.id))).toMatchObject({ statusCode: 404 });
  });

  it('are sent again by hand', async () => {
    await customer();
    await received(1);
    const [event] = (await stripe.events.list()).data;
    await stripe.rawRequest('POST', `/v1/events/${event!.id}/retry`, {
      webhook_endpoint: (await stripe.webhookEndpoints.list()).data[0]!.id,
    });
    await received(2);
    expect(given.receiver.received[1]!.event.id).toBe(event!.id);
  });
});
