import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, PAY, errorOf, givenSimulator } from './given.js';

let given: Given;
let stripe: Stripe;
beforeEach(async () => {
  given = await givenSimulator({ webhooks: [], balanceDelayMs: 60_000 });
  ({ stripe } = given);
});
afterEach(() => given.end());

const typesOf = (page: { data: readonly { type: string }[] }): string[] => page.data.map(({ type }) => type);
const destination = (): Promise<Stripe.V2.Core.EventDestination> =>
  stripe.v2.core.eventDestinations.create({
    ...{ name: 'd', type: 'webhook_endpoint', event_payload: 'thin', enabled_events: ['v1.charge.failed'] },
    webhook_endpoint: { url: given.receiver.url },
  });

describe('Thin events', () => {
  it('are listed newest first: the twins of snapshot events, and pings', async () => {
    await stripe.paymentIntents.create(PAY);
    await stripe.v2.core.eventDestinations.ping((await destination()).id);
    expect(typesOf(await stripe.v2.core.events.list())).toEqual([
      'v2.core.event_destination.ping',
      'v1.payment_intent.succeeded',
      'v1.charge.succeeded',
      'v1.payment_intent.created',
    ]);
  });

  it('are found by object, type and time, and walked page by page', async () => {
    const intent = await stripe.paymentIntents.create(PAY);
    given.simulator.advanceClock(50);
    const { id } = await stripe.customers.create({});
    const { events } = stripe.v2.core;
    expect(typesOf(await events.list({ object_id: id }))).toEqual(['v1.customer.created']);
    expect(typesOf(await events.list({ types: ['v1.charge.succeeded', 'v1.customer.created'] }))).toEqual([
      'v1.customer.created',
      'v1.charge.succeeded',
    ]);
    const later = new Date((intent.created + 25) * 1000).toISOString();
    expect(typesOf(await events.list({ created: { gt: later as never } }))).toEqual(['v1.customer.created']);
    expect(typesOf(await events.list({ created: { lte: intent.created + 25 } }))).toHaveLength(3);
    const walked: string[] = [];
    for await (const event of events.list({ limit: 1, created: { lte: intent.created + 25 } })) walked.push(event.type);
    expect(walked).toEqual(['v1.payment_intent.succeeded', 'v1.charge.succeeded', 'v1.payment_intent.created']);
  });

  it('name their objects and are gone after 30 days', async () => {
    const { id } = await stripe.customers.create({});
    const [event] = (await stripe.v2.core.events.list()).data;
    const related = await (event as unknown as { fetchRelatedObject(): Promise<object> }).fetchRelatedObject();
    expect(related).toMatchObject({ id });
    given.simulator.advanceClock(30 * 86_400 + 1);
    expect((await stripe.v2.core.events.list()).data).toEqual([]);
    expect(await errorOf(stripe.v2.core.events.retrieve(event!.id))).toMatchObject({ statusCode: 404, code: 'not_found' });
  });

  it.each([
    ['a page that nobody gave', { page: 'x' }],
    ['a page of an unknown event', { page: Buffer.from('after evt_test_x').toString('base64url') }],
    ['too long a page', { limit: 101 }],
    ['a time that is none', { created: { gt: 'yesterday' } }],
    ['too many types', { types: Array.from({ length: 21 }, () => 'v1.charge.failed') }],
  ])('refuse %s', async (_, query) => {
    expect(await errorOf(stripe.v2.core.events.list(query as never))).toMatchObject({ statusCode: 400, code: 'invalid_fields' });
  });

  it.each(['evt_test_missing', 'evt_missing', 'x'])('answer 404 for %s', async (id) => {
    expect(await errorOf(stripe.v2.core.events.retrieve(id))).toMatchObject({ statusCode: 404, code: 'not_found' });
  });
});

describe('Destinations and thin events', () => {
  it('survive a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'stripe-simulator-'));
    const options = { webhooks: [], stateFile: join(folder, 'state') };
    await given.end();
    given = await givenSimulator(options);
    ({ stripe } = given);
    const { id } = await destination();
    const ping = await stripe.v2.core.eventDestinations.ping(id);
    await given.end();
    given = await givenSimulator(options);
    ({ stripe } = given);
    expect((await stripe.v2.core.eventDestinations.list()).data.map((one) => one.id)).toEqual([id]);
    expect((await stripe.v2.core.events.retrieve(ping.id)).id).toBe(ping.id);
    await given.end();
    rmSync(folder, { recursive: true });
    given = await givenSimulator();
  });
});
