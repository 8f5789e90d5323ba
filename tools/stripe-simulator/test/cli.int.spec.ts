import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import WebSocket from 'ws';
import { type StripeEvent } from '../src/events/event.js';
import { type Cli, type Listening, openCli } from '../src/stripe-cli.js';
import { type Given, type Received, KEY, eventually, givenSimulator } from './given.js';

let given: Given;
let cli: Cli;
let listening: Listening;

beforeAll(async () => {
  given = await givenSimulator({ webhooks: [], disputeDelayMs: 0 });
  cli = openCli(given.simulator, KEY);
  listening = await cli.listen('--all-snapshot', '--forward-to', given.receiver.url);
}, 30_000);
afterAll(async () => {
  await cli.end();
  await given.end();
});

const events = (): StripeEvent[] => given.simulator.world.events.records.all().map(({ event }) => event);
const forwarded = (id: string): Received[] => given.receiver.received.filter(({ event }) => event.id === id);
const isSigned = ({ body, headers }: Received, secret = listening.secret): boolean =>
  given.stripe.webhooks.constructEvent(body, headers['stripe-signature'] as string, secret).id !== '';

/** Ends a further CLI and waits until the simulator has noticed. */
const gone = async (other: Listening): Promise<void> => {
  await other.stop();
  await eventually(() => given.simulator.world.listeners.wanting('customer.created').length === 1);
};

const TRIGGERS = [
  'payment_intent.succeeded',
  'payment_intent.payment_failed',
  'payment_intent.requires_action',
  'payment_intent.amount_capturable_updated',
  'payment_intent.canceled',
  'charge.refunded',
  'charge.captured',
  'charge.dispute.created',
  'charge.dispute.closed',
  'checkout.session.completed',
  'checkout.session.expired',
  'checkout.session.async_payment_succeeded',
  'checkout.session.async_payment_failed',
  'customer.subscription.created',
  'customer.subscription.updated',
  'customer.subscription.deleted',
  'invoice.paid',
  'invoice.payment_failed',
];

describe('stripe trigger', () => {
  it('is documented with what is tested here', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const named = /<!-- triggers -->([^]*?)<!-- \/triggers -->/.exec(readme)?.[1]?.match(/[a-z_]+(\.[a-z_]+)+/g);
    expect(named?.sort()).toEqual([...TRIGGERS].sort());
  });

  it.each(TRIGGERS)(
    '%s makes the event, which the listening CLI forwards once, correctly signed',
    async (type) => {
      const before = events().length;
      expect(await cli.run('trigger', type)).toContain('Trigger succeeded!');
      const event = await eventually(
        () =>
          events()
            .slice(before)
            .find((one) => one.type === type),
        10_000,
      );
      expect(
        events()
          .slice(before)
          .filter((one) => one.type === type),
      ).toHaveLength(1);
      await eventually(() => given.simulator.world.deliveries.all().find((attempt) => attempt.event === event.id));
      expect(forwarded(event.id)).toHaveLength(1);
      const [delivery] = forwarded(event.id);
      expect(isSigned(delivery!)).toBe(true);
      expect(delivery!.event).toEqual(event);
      await eventually(async () => (await given.stripe.events.retrieve(event.id)).pending_webhooks === 0);
    },
    25_000,
  );
});

describe('stripe get, post and events resend', () => {
  it('create and show objects', async () => {
    const created = JSON.parse(await cli.run('post', '/v1/customers', '-d', 'name=Ada', '-d', 'metadata[k]=v')) as { id: string };
    expect(created).toMatchObject({ object: 'customer', name: 'Ada', metadata: { k: 'v' } });
    expect(JSON.parse(await cli.run('get', `/v1/customers/${created.id}`))).toEqual(created);
    expect(JSON.parse(await cli.run('customers', 'list', '--limit', '1'))).toMatchObject({ object: 'list', data: [{ id: created.id }] });
  });

  it('show the error of the API', async () => {
    const answer: unknown = JSON.parse(await cli.run('get', '/v1/customers/cus_missing'));
    expect(answer).toMatchObject({ error: { code: 'resource_missing' } });
  });

  it('send an event again, to the listening CLI or to an endpoint', async () => {
    const { id } = await given.stripe.customers.create({ name: 'again' });
    const event = await eventually(() => events().find((one) => (one.data.object as { id: string }).id === id));
    await eventually(() => forwarded(event.id).length === 1);
    expect(JSON.parse(await cli.run('events', 'resend', event.id))).toMatchObject({ id: event.id });
    await eventually(() => forwarded(event.id).length === 2);
    const endpoint = await given.stripe.webhookEndpoints.create({ url: given.receiver.url, enabled_events: ['charge.expired'] });
    await cli.run('events', 'resend', event.id, '--webhook-endpoint', endpoint.id);
    await eventually(() => forwarded(event.id).length === 3);
    expect(isSigned(forwarded(event.id)[2]!, endpoint.secret)).toBe(true);
  }, 20_000);
});

describe('stripe listen', () => {
  it('says the version of the account and always the same secret', async () => {
    expect(listening.said()).toContain(`Stripe API Version [${given.simulator.world.settings.accountApiVersion}]`);
    expect((await cli.run('listen', '--print-secret')).trim()).toBe(listening.secret);
  });

  it('--latest gets events in the latest version', async () => {
    const latest = await cli.listen('--latest', '--events', 'customer.deleted', '--forward-to', `${given.receiver.url}/latest`);
    const { id } = await given.stripe.customers.create({});
    await given.stripe.customers.del(id);
    const { event } = await eventually(() =>
      given.receiver.received.find((one) => one.event.type === 'customer.deleted' && one.event.api_version === '2026-10-28.endive'),
    );
    expect(event.data.object).toMatchObject({ id });
    expect(given.receiver.received.filter((one) => one.event.id === event.id)).toHaveLength(2);
    await gone(latest);
  }, 20_000);

  it('--all-thin gets thin events, which the SDK accepts and follows', async () => {
    const thin = await cli.listen('--all-thin', '--forward-to', given.receiver.url);
    const { id } = await given.stripe.customers.create({ name: 'thin' });
    const { body, headers } = await eventually(() =>
      given.receiver.received.find(({ event }) => (event.type as string) === 'v1.customer.created'),
    );
    const notification = given.stripe.parseEventNotification(body, headers['stripe-signature'] as string, thin.secret);
    expect(notification).toMatchObject({ object: 'v2.core.event', related_object: { id, type: 'customer', url: `/v1/customers/${id}` } });
    expect(await (notification as unknown as { fetchRelatedObject(): Promise<object> }).fetchRelatedObject()).toMatchObject({ id });
    await gone(thin);
  }, 20_000);

  it('--use-configured-webhooks takes the types and the path of each endpoint of the account', async () => {
    const other = await givenSimulator({ webhooks: [], deliverySchedule: [] });
    const endpoint = (path: string, type: 'customer.created' | 'customer.deleted'): Promise<unknown> =>
      other.stripe.webhookEndpoints.create({ url: `http://127.0.0.1:9/${path}`, enabled_events: [type] });
    await endpoint('hooks/new', 'customer.created');
    await endpoint('hooks/gone', 'customer.deleted');
    const itsCli = openCli(other.simulator, KEY);
    const { secret } = await itsCli.listen(
      '--all-snapshot',
      '--use-configured-webhooks',
      '--forward-to',
      new URL(other.receiver.url).origin,
    );
    const { id } = await other.stripe.customers.create({});
    await other.stripe.customers.update(id, { name: 'B' });
    await other.stripe.customers.del(id);
    await eventually(() => other.receiver.received.length === 2, 10_000);
    const told = [...other.receiver.received].sort((a, b) => (a.path < b.path ? 1 : -1));
    expect(told.map(({ path, event }) => [path, event.type])).toEqual([
      ['/hooks/new', 'customer.created'],
      ['/hooks/gone', 'customer.deleted'],
    ]);
    expect(told.map((one) => isSigned(one, secret))).toEqual([true, true]);
    await itsCli.end();
    await other.end();
  }, 30_000);

  it('counts as told what its own --events leaves out, and holds up nothing meanwhile', async () => {
    const other = await givenSimulator({ webhooks: [], deliveryTimeoutMs: 1_000 });
    const itsCli = openCli(other.simulator, KEY);
    await itsCli.listen('--events', 'customer.deleted', '--forward-to', other.receiver.url);
    const { id } = await other.stripe.customers.create({});
    await other.stripe.customers.del(id);
    await eventually(() => other.receiver.received.length === 1);
    await eventually(async () => (await other.stripe.events.list()).data.every(({ pending_webhooks: pending }) => pending === 0));
    expect(other.receiver.received.map(({ event }) => event.type)).toEqual(['customer.deleted']);
    await itsCli.end();
    await other.end();
  }, 30_000);

  it('is told nothing that a delivery fault drops, and counts a refusal of the forward as failed', async () => {
    given.simulator.addFault({ fault: 'webhook_drop', event_type: 'customer.created' });
    given.receiver.answerWith = () => 500;
    const { id } = await given.stripe.customers.create({});
    await given.stripe.customers.update(id, { name: 'B' });
    const attempts = await eventually(() => {
      const about = events().filter((one) => (one.data.object as { id: string }).id === id);
      const made = given.simulator.world.deliveries.all().filter(({ event }) => about.some((one) => one.id === event));
      return made.length === 2 ? made : undefined;
    });
    given.receiver.answerWith = () => 200;
    expect(attempts.map(({ result, status }) => [result, status])).toEqual([
      ['dropped', null],
      ['failed', 500],
    ]);
    expect(given.simulator.world.deliveries.unfinished()).toEqual([]);
  });

  it('keeps listening through a reset', async () => {
    given.simulator.reset();
    const { id } = await given.stripe.customers.create({ name: 'after' });
    await eventually(() => given.receiver.received.some(({ event }) => (event.data?.object as { id?: string } | undefined)?.id === id));
  });

  it('without a session gets no websocket', async () => {
    const socket = new WebSocket(`${given.simulator.url.replace('http', 'ws')}/__stripecli`, {
      headers: { 'Websocket-Id': 'cliws_unknown' },
    });
    const message = await new Promise((resolve) => {
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
      socket.on('open', () => resolve('open'));
    });
    expect(message).toBe(404);
  });
});
