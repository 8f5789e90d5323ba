import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type StripeEventHandled } from '@tidegate/contracts/events/stripe-event-handled';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { type Incoming } from '@tidegate/messaging/incoming';
import { HealthRegistry } from '@tidegate/service-host/health';
import { everyLoop } from '@tidegate/service-host/loop';
import { createLogger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { checkoutIdOf } from '../src/idempotency/identity.js';
import { PARKED_INTERVAL_MS } from '../src/parked/parked.loop.js';
import { type CheckoutWorld, checkoutWorld } from './checkout-world.js';
import { type PaymentsWorld } from './payments-world.js';
import { deliver, newsOf } from './stripe-news.js';

let world: CheckoutWorld;
beforeAll(async () => {
  world = await checkoutWorld();
});
afterAll(() => world.close());

const DAY_MS = 86_400_000;
const route = `POST ${RPC.checkoutCreate}`;

/** A page with the ids that a checkout of ours would give it, as one that a restore of the database has lost; closed at Stripe. */
async function lostPage(key: string): Promise<{ id: string; news: Incoming }> {
  const id = checkoutIdOf({ tenant: 'default', route, key });
  const session = await world.stripe('checkout/sessions', {
    mode: 'payment',
    success_url: 'https://shop.example/done',
    'line_items[0][quantity]': '1',
    'line_items[0][price_data][currency]': 'usd',
    'line_items[0][price_data][unit_amount]': '4200',
    'line_items[0][price_data][product_data][name]': 'Vase',
    'metadata[checkout_id]': id,
    'metadata[tenant_id]': 'default',
  });
  await world.stripe(`checkout/sessions/${String(session['id'])}/expire`, {});
  const news = newsOf(world as unknown as PaymentsWorld).find((one) => one.aggregate === session['id']);
  if (!news) throw new Error('Stripe did not tell of the page');
  return { id, news };
}

const tell = (news: Incoming) => deliver(world as unknown as PaymentsWorld, news);

/** What was reported about a message, oldest first. */
async function outcomesOf({ envelope: { data } }: Incoming): Promise<string[]> {
  const { stripe_event_id } = data as StripeEventHandled;
  const { rows } = await sql<{ said: StripeEventHandled }>`
    SELECT convert_from(bytes, 'UTF8')::json -> 'data' AS said FROM outbox WHERE aggregate = ${`stripe_event:${stripe_event_id}`} ORDER BY id`.execute(
    world.db,
  );
  return rows.map(({ said }) => [said.outcome, said.reason].filter(Boolean).join(': '));
}

const parked = () => world.metric('payments_parked_events');

describe('News of a checkout that is not here', () => {
  it('wait for it, in nobody’s way, and are applied within ten seconds of its arrival', async () => {
    const { id, news } = await lostPage('lost-and-found');
    await tell(news);
    await tell(news);
    expect(await outcomesOf(news)).toEqual([`parked: waits for checkout ${id}`, `parked: waits for checkout ${id}`]);
    expect(await parked()).toBe(1);
    expect(await world.parts.settleParkedOnce()).toBe(0);

    const logger = createLogger({ service: 'payments', level: 'silent' });
    const loop = everyLoop({
      name: 'payments.parked',
      intervalMs: PARKED_INTERVAL_MS,
      runOnce: () => world.parts.settleParkedOnce(),
      health: new HealthRegistry(),
      logger,
    });
    const running = loop.run();
    try {
      const reply = await world.open({}, { key: 'lost-and-found' });
      expect([reply.status, world.view(reply).id]).toEqual([201, id]);
      const arrived = Date.now();
      await eventually(async () => expect((await outcomesOf(news)).at(-1)).toBe('processed'), { timeoutMs: 10_000 });
      expect(Date.now() - arrived).toBeLessThan(10_000);
    } finally {
      await loop.stop();
      await running;
    }
    expect(await parked()).toBe(0);
  });

  it('are applied by one of several replicas, once', async () => {
    const { news } = await lostPage('found-by-two');
    await tell(news);
    await world.open({}, { key: 'found-by-two' });
    const other = world.start();
    const settled = await Promise.all([world.parts.settleParkedOnce(), other.parts.settleParkedOnce()]);
    expect(settled.toSorted()).toEqual([0, 1]);
    expect((await outcomesOf(news)).filter((outcome) => outcome === 'processed')).toHaveLength(1);
  });

  it('go on when others that cannot be applied stand before them', async () => {
    const broken = await lostPage('broken');
    const { news } = await lostPage('behind-a-broken-one');
    for (const one of [broken.news, news]) await tell(one);
    await sql`UPDATE parked_news SET message = '{}', parked_at = parked_at - interval '1 second' WHERE parent = ${broken.id}`.execute(
      world.db,
    );
    for (const key of ['broken', 'behind-a-broken-one']) await world.open({}, { key });
    await expect(world.parts.settleParkedOnce()).rejects.toThrow(broken.news.messageId);
    expect(await world.parts.settleParkedOnce()).toBe(1);
    expect((await outcomesOf(news)).at(-1)).toBe('processed');
    expect(await parked()).toBe(1);
    await sql`DELETE FROM parked_news`.execute(world.db);
  });

  it('are none of ours when it has not come for three days', async () => {
    const { news } = await lostPage('never-asked-again');
    await tell(news);
    world.advance(2 * DAY_MS);
    expect(await world.parts.settleParkedOnce()).toBe(0);
    world.advance(DAY_MS);
    expect(await world.parts.settleParkedOnce()).toBe(1);
    expect((await outcomesOf(news)).at(-1)).toBe('foreign: no such checkout');
    expect(await parked()).toBe(0);
  });

  it('without a tenant are none of ours at once', async () => {
    const { news } = await lostPage('no-tenant');
    const { object } = news.envelope.data as { object: { metadata: Record<string, string> } };
    delete object.metadata['tenant_id'];
    await tell(news);
    expect(await outcomesOf(news)).toEqual(['foreign: no checkout of ours']);
  });
});

describe('A payment that nobody here made', () => {
  const paid = (form: Record<string, string>) =>
    world.stripe('payment_intents', {
      amount: '1500',
      currency: 'eur',
      confirm: 'true',
      payment_method: 'pm_card_visa',
      'automatic_payment_methods[enabled]': 'true',
      'automatic_payment_methods[allow_redirects]': 'never',
      ...form,
    }) as Promise<{ id: string }>;

  const tenantOf = async (intent: string) =>
    (await world.db.selectFrom('payments').select('tenant').where('stripe_payment_intent', '=', intent).executeTakeFirst())?.tenant;

  it('is of the tenant that its news came for', async () => {
    const { id } = await paid({});
    for (const message of newsOf(world as unknown as PaymentsWorld).filter((one) => one.aggregate === id)) {
      message.envelope.tenant = 'acme';
      await tell(message);
    }
    expect(await tenantOf(id)).toBe('acme');
  });

  it('and was found by reconciliation is of the tenant in its metadata, else of its customer’s, else of the account’s', async () => {
    const customer = async (form: Record<string, string>) => (await world.stripe('customers', form))['id'] as string;
    const ofAcme = await customer({ 'metadata[tenant_id]': 'acme' });
    const ofNobody = await customer({});
    const found: [string, string][] = [
      [(await paid({ 'metadata[tenant_id]': 'named', customer: ofAcme })).id, 'named'],
      [(await paid({ customer: ofAcme })).id, 'acme'],
      [(await paid({ customer: ofNobody })).id, 'default'],
      [(await paid({})).id, 'default'],
    ];
    for (const [stripe_payment_intent, tenant] of found) {
      const reply = await world.send(RPC.paymentRepair, { body: { stripe_payment_intent, reason: 'spec' } });
      expect([reply.status, await tenantOf(stripe_payment_intent)]).toEqual([202, tenant]);
    }
  });

  it('and was found by reconciliation is asked for, and not said to be adopted, when it is known with another intent', async () => {
    const payment_id = 'pay_4f1c2b7a9d3e5f60';
    const named = { 'metadata[tenant_id]': 'default', 'metadata[payment_id]': payment_id };
    const [first, second] = [await paid(named), await paid(named)];
    const repair = async ({ id }: { id: string }) =>
      JSON.parse((await world.send(RPC.paymentRepair, { body: { stripe_payment_intent: id, reason: 'spec' } })).body) as unknown;
    const work = () => world.db.selectFrom('payment_work').select('refresh').where('payment_id', '=', payment_id).execute();
    expect(await repair(first)).toEqual({ payment_id, action: 'adopt' });
    await world.carryOn();
    expect(await work()).toEqual([]);
    expect(await repair(second)).toMatchObject({ payment_id, action: 'refresh', told: { snapshot: { stripe_payment_intent: first.id } } });
    expect(await work()).toEqual([{ refresh: true }]);
  });
});
