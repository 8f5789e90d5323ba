import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type Stripe from 'stripe';
import { type Given, KEY, type Received, control, errorOf, eventually, givenSimulator } from './given.js';

let given: Given;
let stripe: Stripe;
beforeEach(async () => {
  given = await givenSimulator({ webhooks: [] });
  ({ stripe } = given);
});
afterEach(() => given.end());

type Params = Stripe.V2.Core.EventDestinationCreateParams;
const params = (changes: Partial<Params> = {}): Params => ({
  name: 'Orders',
  type: 'webhook_endpoint',
  event_payload: 'thin',
  enabled_events: ['v1.customer.created'],
  include: ['webhook_endpoint.signing_secret', 'webhook_endpoint.url'],
  webhook_endpoint: { url: given.receiver.url },
  ...changes,
});
const create = (changes?: Partial<Params>): Promise<Stripe.V2.Core.EventDestination> =>
  stripe.v2.core.eventDestinations.create(params(changes));
const received = (count = 1): Promise<Received> =>
  eventually(() => (given.receiver.received.length >= count ? given.receiver.received.at(-1) : undefined));
const notificationOf = ({ body, headers }: Received, secret: string | undefined): Stripe.V2.Core.EventNotification =>
  stripe.parseEventNotification(body, headers['stripe-signature'] as string, secret ?? '');

describe('An event destination whose secret is rotated', () => {
  it('has both secrets sign until the old one expires, and then the new one only', async () => {
    const { id, webhook_endpoint: endpoint } = await create();
    const rotated = await control(given.simulator, 'POST', '/__dashboard/rotate_secret', { endpoint: id, expires_in_seconds: 3_600 });
    const { secret } = rotated.value as { secret: string };
    const verdicts = async (count: number): Promise<(string | undefined)[]> => {
      await stripe.customers.create({});
      const one = await received(count);
      return [endpoint?.signing_secret ?? undefined, secret].map((known) => {
        try {
          return notificationOf(one, known).type;
        } catch {
          return 'not signed';
        }
      });
    };
    expect(await verdicts(1)).toEqual(['v1.customer.created', 'v1.customer.created']);
    given.simulator.advanceClock(3_601);
    expect(await verdicts(2)).toEqual(['not signed', 'v1.customer.created']);
  });
});

describe('An event destination', () => {
  it('is created, shows its secret then only, and is retrieved, updated, listed and deleted', async () => {
    const created = await create({ description: 'all orders', metadata: { team: 'a' } });
    expect(created).toMatchObject({ object: 'v2.core.event_destination', status: 'enabled', events_from: ['@self'] });
    expect(created.id).toMatch(/^ed_test_/);
    expect(created.webhook_endpoint).toEqual({ signing_secret: expect.stringMatching(/^whsec_/), url: given.receiver.url });
    const destinations = stripe.v2.core.eventDestinations;
    expect((await destinations.retrieve(created.id)).webhook_endpoint).toEqual({});
    const changes = { name: 'Renamed', metadata: { team: null, more: 'b' } as never, include: ['webhook_endpoint.url' as const] };
    expect(await destinations.update(created.id, changes)).toMatchObject({
      ...{ name: 'Renamed', description: 'all orders', metadata: { more: 'b' } },
      webhook_endpoint: { url: given.receiver.url },
    });
    expect((await destinations.list()).data.map(({ id }) => id)).toEqual([created.id]);
    expect(await destinations.del(created.id)).toEqual(expect.objectContaining({ id: created.id, object: 'v2.core.event_destination' }));
    expect(await errorOf(destinations.retrieve(created.id))).toMatchObject({ statusCode: 404, code: 'not_found' });
  });

  it('is listed newest first, page by page', async () => {
    const made: string[] = [];
    for (let n = 0; n < 5; n += 1) made.unshift((await create({ name: `d${n}` })).id);
    const listed: string[] = [];
    for await (const { id } of stripe.v2.core.eventDestinations.list({ limit: 2 })) listed.push(id);
    expect(listed).toEqual(made);
    const first = await stripe.v2.core.eventDestinations.list({ limit: 2, include: ['webhook_endpoint.url'] });
    const second = await page(first.next_page_url);
    expect(second.data.map(({ id }) => id)).toEqual(made.slice(2, 4));
    expect(second.data[0]?.webhook_endpoint.url).toBe(given.receiver.url);
    expect((await page(second.previous_page_url)).data.map(({ id }) => id)).toEqual(made.slice(0, 2));
    expect((await page((await page(second.next_page_url)).previous_page_url)).data.map(({ id }) => id)).toEqual(made.slice(2, 4));
  });

  it.each<[string, Partial<Params>, string]>([
    ['an unknown thin type', { enabled_events: ['v1.customer.exploded'] }, 'enabled_events.0'],
    ['all types with thin payloads', { enabled_events: ['*'] }, 'enabled_events.0'],
    ['a snapshot type with thin payloads', { enabled_events: ['customer.created'] }, 'enabled_events.0'],
    ['a thin type with snapshot payloads', { event_payload: 'snapshot' }, 'enabled_events.0'],
    ['no types', { enabled_events: [] }, 'enabled_events'],
    ['a version for thin payloads', { snapshot_api_version: '2026-10-28.endive' }, 'snapshot_api_version'],
    ['another kind of destination', { type: 'amazon_eventbridge' }, 'type'],
    ['no URL', { webhook_endpoint: { url: 'example.com' } }, 'webhook_endpoint.url'],
    ['a number for a name', { name: 5 as never }, 'name'],
    ['a payload that does not exist', { event_payload: 'fat' as never }, 'event_payload'],
    ['an unknown parameter', { colour: 'red' } as never, 'colour'],
    ['metadata that is no text', { metadata: { a: 1 } as never }, 'metadata.a'],
  ])('refuses %s', async (_, changes, param) => {
    expect(await errorOf(create(changes))).toMatchObject({ statusCode: 400, code: 'invalid_fields', param });
  });

  it('refuses what is no JSON object', async () => {
    for (const body of ['{', '[]', '"x"']) {
      const headers = { Authorization: `Bearer ${KEY}`, 'Content-Type': 'application/json' };
      const answer = await fetch(`${given.simulator.url}/v2/core/event_destinations`, { method: 'POST', headers, body });
      expect([answer.status, await answer.json()]).toMatchObject([400, { error: { code: 'invalid_fields' } }]);
    }
  });
});

async function page(url: string | null): Promise<{
  data: { id: string; webhook_endpoint: { url?: string } }[];
  next_page_url: string | null;
  previous_page_url: string | null;
}> {
  const answer = await fetch(`${given.simulator.url}${url}`, { headers: { Authorization: `Bearer ${KEY}` } });
  return (await answer.json()) as Awaited<ReturnType<typeof page>>;
}

describe('A destination with thin payloads', () => {
  it('gets a signed notification, from which the SDK fetches the event and its object', async () => {
    const destination = await create();
    const customer = await stripe.customers.create({ name: 'Ada' }, { idempotencyKey: 'key-1' });
    const notification = notificationOf(await received(), destination.webhook_endpoint?.signing_secret);
    expect(notification).toMatchObject({
      ...{ object: 'v2.core.event', type: 'v1.customer.created', livemode: false },
      related_object: { id: customer.id, type: 'customer', url: `/v1/customers/${customer.id}` },
      reason: { type: 'request', request: { idempotency_key: 'key-1' } },
    });
    expect(Date.parse(notification.created)).toBe(customer.created * 1000);
    const fetched = await (notification as unknown as { fetchEvent(): Promise<Stripe.V2.Core.Event> }).fetchEvent();
    expect(fetched).toMatchObject({ id: notification.id, type: 'v1.customer.created' });
    const snapshot = await stripe.events.retrieve(fetched.snapshot_event ?? '');
    expect(snapshot).toMatchObject({ type: 'customer.created', data: { object: { id: customer.id } } });
  });

  it('gets thin events that have no snapshot; their data comes when they are fetched', async () => {
    const destination = await create({ enabled_events: ['v1.billing.meter.no_meter_found'] });
    await create({ enabled_events: ['v1.customer.created'] });
    const data = { developer_message_summary: 'There is 1 invalid event' };
    const { id } = given.simulator.world.events.notify('v1.billing.meter.no_meter_found', null, { data });
    const notification = notificationOf(await received(), destination.webhook_endpoint?.signing_secret);
    expect(notification).toMatchObject({ id, type: 'v1.billing.meter.no_meter_found', related_object: null });
    expect(notification).not.toHaveProperty('data');
    expect(await stripe.v2.core.events.retrieve(id)).toMatchObject({ data });
    await eventually(() => given.simulator.world.deliveries.unfinished().length === 0);
    expect(given.receiver.received).toHaveLength(1);
  });

  it('gets only what it selected, and is part of what the event waits for', async () => {
    await create();
    const { id } = await stripe.customers.create({});
    await stripe.customers.update(id, { name: 'B' });
    await received();
    await eventually(async () => (await stripe.events.list()).data.every(({ pending_webhooks: pending }) => pending === 0));
    expect(given.receiver.received).toHaveLength(1);
  });

  it('is retried with a fresh signature, and meets the delivery faults', async () => {
    const destination = await create();
    given.simulator.addFault({ fault: 'webhook_bad_signature' });
    given.receiver.answerWith = (one) => {
      try {
        notificationOf(one, destination.webhook_endpoint?.signing_secret);
        return 200;
      } catch {
        return 400;
      }
    };
    await stripe.customers.create({});
    await received(2);
    await eventually(() => given.simulator.world.deliveries.all().length === 2);
    expect(given.simulator.world.deliveries.all().map(({ result }) => result)).toEqual(['failed', 'delivered']);
  });
});

describe('A destination with snapshot payloads', () => {
  it('gets whole events in its version', async () => {
    const destination = await create({ event_payload: 'snapshot', enabled_events: ['*'], snapshot_api_version: '2026-10-28.endive' });
    expect(destination.snapshot_api_version).toBe('2026-10-28.endive');
    const { id } = await stripe.customers.create({});
    const { body, headers } = await received();
    const secret = destination.webhook_endpoint?.signing_secret ?? '';
    const event = stripe.webhooks.constructEvent(body, headers['stripe-signature'] as string, secret);
    expect(event).toMatchObject({ type: 'customer.created', api_version: '2026-10-28.endive', data: { object: { id } } });
  });
});

describe('Enabling, disabling and pinging', () => {
  it('stops and resumes deliveries', async () => {
    const { id } = await create();
    const disabled = await stripe.v2.core.eventDestinations.disable(id);
    expect(disabled).toMatchObject({ status: 'disabled', status_details: { disabled: { reason: 'user' } } });
    await stripe.customers.create({ name: 'unheard' });
    expect(await stripe.v2.core.eventDestinations.enable(id)).toMatchObject({ status: 'enabled' });
    const heard = await stripe.customers.create({ name: 'heard' });
    expect(JSON.parse((await received()).body)).toMatchObject({ related_object: { id: heard.id } });
    expect(given.receiver.received).toHaveLength(1);
  });

  it('sends a ping that it did not select', async () => {
    const destination = await create();
    const sent = await stripe.v2.core.eventDestinations.ping(destination.id);
    expect(sent).toMatchObject({ type: 'v2.core.event_destination.ping', related_object: { id: destination.id } });
    const notification = notificationOf(await received(), destination.webhook_endpoint?.signing_secret);
    expect(notification.id).toBe(sent.id);
    const related = await (notification as unknown as { fetchRelatedObject(): Promise<object> }).fetchRelatedObject();
    expect(related).toMatchObject({ id: destination.id });
    expect(await stripe.v2.core.events.retrieve(sent.id)).toMatchObject({ id: sent.id });
  });
});

describe('Rubbish in JSON', () => {
  it('is refused or taken, never answered with 500, and reaches no prototype', async () => {
    const { id } = await create();
    const paths = ['/v2/core/event_destinations', `/v2/core/event_destinations/${id}`, `/v2/core/event_destinations/${id}/disable`];
    const names = fc.constantFrom(...Object.keys(params()), 'metadata', 'description', '__proto__', 'constructor', 'x');
    const value = fc.oneof(
      fc.json().map((text) => JSON.parse(text) as unknown),
      fc.constantFrom('thin', 'webhook_endpoint', null, ['*']),
    );
    const body = fc.oneof(
      fc.json(),
      fc.string(),
      fc.dictionary(names, value).map((changes) => JSON.stringify({ ...params(), ...changes })),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), body, async (path, text) => {
        const headers = { Authorization: `Bearer ${KEY}`, 'Content-Type': 'application/json' };
        const answer = await fetch(`${given.simulator.url}${path}`, { method: 'POST', headers, body: text });
        expect([200, 400]).toContain(answer.status);
      }),
      { numRuns: 200, seed: 20_261_121 },
    );
    expect({}).not.toHaveProperty('x');
  }, 30_000);
});

describe('The fault that disables an endpoint', () => {
  it('disables a destination, too', async () => {
    const { id } = await create();
    given.simulator.addFault({ fault: 'webhook_disable' });
    await stripe.customers.create({});
    expect((await stripe.v2.core.eventDestinations.retrieve(id)).status).toBe('disabled');
  });
});

describe('Idempotency keys of v2', () => {
  it('repeat a success, attempt a failure again, conflict on other parameters and live for 30 days', async () => {
    const options = { idempotencyKey: 'v2-key' };
    const destinations = stripe.v2.core.eventDestinations;
    expect(await errorOf(destinations.create(params({ enabled_events: ['nothing'] }), options))).toMatchObject({ statusCode: 400 });
    const first = await destinations.create(params(), options);
    expect((await destinations.create(params(), options)).id).toBe(first.id);
    const conflict = await errorOf(destinations.create(params({ name: 'Other' }), options));
    expect(conflict).toMatchObject({ type: 'StripeIdempotencyError', statusCode: 409 });
    given.simulator.advanceClock(29 * 86_400);
    expect((await destinations.create(params(), options)).id).toBe(first.id);
    given.simulator.advanceClock(2 * 86_400);
    expect((await destinations.create(params(), options)).id).not.toBe(first.id);
  });
});
