import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { StripeOutcome } from '@tidegate/stripe-gateway/port';
import { noFailpoints } from '@tidegate/database/failpoints';
import { sql } from 'kysely';
import { Parked } from '../src/hint/parked.loop.js';
import type { Retriever } from '../src/hint/retrieve.js';
import { answerReplay } from '../src/replay/replay.rpc.js';
import { answerGet, answerList } from '../src/stripe-event/stripe-event.rpc.js';
import { deliver, hinter, listener, normalizer, openWorkbench, silent, staged, stripeEvent, type Workbench } from './workbench.js';

type Answer = StripeOutcome<Record<string, unknown>>;

let bench: Workbench;
let app: ReturnType<typeof listener>;
/** What Stripe says of customers, and who was asked for. */
const customers = new Map<string, Answer>();
const asked: string[] = [];
const stripe: Retriever = {
  retrieveObject: async (kind, id) => {
    asked.push(`${kind}/${id}`);
    return customers.get(id) ?? { kind: 'not_found', param: 'id', message: 'No such object' };
  },
};
let now = new Date();
let before = 0;
const clock = { now: () => now };

beforeAll(async () => {
  bench = await openWorkbench();
  app = listener(bench);
}, 60_000);
beforeEach(async () => {
  before = (await staged(bench)).at(-1)?.id ?? 0;
});
afterEach(async () => {
  for (const table of ['stripe_events', 'published_versions', 'customer_tenants'] as const) await bench.db.deleteFrom(table).execute();
  asked.length = 0;
  customers.clear();
});
afterAll(async () => {
  await app.close();
  await bench.close();
});

const parked = () => new Parked({ db: bench.db, failpoints: noFailpoints, clock, logger: bench.logger, stripe, released: () => undefined });

const ok = (object: Record<string, unknown>): Answer => ({ kind: 'ok', value: object, requestId: null });
const customer = (id: string, metadata: Record<string, string>) => ({ id, object: 'customer', created: 1, metadata });
/** An intent that only its customer gives a tenant. */
const ofCustomer = (id: string, of: string) => stripeEvent({}, { id, customer: of, metadata: {} });

/** Of what was published since the test began. */
async function tenants(): Promise<Record<string, string>> {
  const published = (await staged(bench)).filter((row) => row.id > before);
  return Object.fromEntries(published.map(({ body }) => [body.data.stripe_event_id, body.tenant]));
}

async function rowOf(event: Record<string, unknown>) {
  return bench.db
    .selectFrom('stripe_events')
    .select(['processing_outcome', 'processing_error', 'tenant_hint', 'waits_for', 'published_at'])
    .where('stripe_event_id', '=', event['id'] as string)
    .executeTakeFirstOrThrow();
}

/** As the gateway hands a tenant's request over. */
const request = (tenant: string, changes: object = {}) => ({
  ...{ tenant, actor: 'key', request_id: 'req_1', correlation_id: 'cor_1', route: '', params: {}, query: {}, idempotency_key: null },
  ...{ respond_async: false, livemode: false, body: null },
  ...changes,
});

/** Which events a tenant sees in its list, one by one, and in the preview of a replay. */
async function seenBy(tenant: string): Promise<unknown[]> {
  const list = JSON.parse((await answerList(bench.db, request(tenant))).body) as { data: { id: string }[] };
  const all = await bench.db.selectFrom('stripe_events').select('stripe_event_id').orderBy('stripe_event_id', 'desc').execute();
  const shown: string[] = [];
  for (const { stripe_event_id: id } of all)
    if ((await answerGet(bench.db, request(tenant, { params: { id } }))).status === 200) shown.push(id);
  const ordered = await answerReplay(
    { db: bench.db, clock, logger: silent, ordered: () => undefined },
    request(tenant, { body: { filter: {}, dry_run: true, reason: 'a look' } }),
  );
  return [list.data.map(({ id }) => id), shown, (JSON.parse(ordered.body) as { matched: number }).matched];
}

describe('An event whose object names no tenant', () => {
  it('is shown to no tenant before it is known whose it is, not to the default one either', async () => {
    const parkedOne = ofCustomer('pi_hidden', 'cus_hidden');
    const invoice = { id: 'in_hidden', object: 'invoice', status: 'open', customer: 'cus_hidden', metadata: {} };
    const hint = stripeEvent({ type: 'invoice.payment_failed' }, invoice);
    for (const event of [parkedOne, hint]) await deliver(app, event);
    await normalizer(bench).runOnce();
    expect(await seenBy('default')).toEqual([[], [], 0]);

    customers.set('cus_hidden', ok(customer('cus_hidden', { tenant_id: 'acme' })));
    customers.set('in_hidden', ok(invoice));
    await parked().runOnce();
    await normalizer(bench).runOnce();
    await hinter(bench, stripe, clock).runOnce();
    expect(await seenBy('default')).toEqual([[], [], 0]);
    expect(await seenBy('acme')).toEqual([[hint['id'], parkedOne['id']], [hint['id'], parkedOne['id']], 2]);
  });

  it('is parked until its customer was asked for, once for all that wait', async () => {
    customers.set('cus_a', ok(customer('cus_a', { tenant_id: 'acme' })));
    const events = [ofCustomer('pi_a1', 'cus_a'), ofCustomer('pi_a2', 'cus_a'), stripeEvent({}, { id: 'pi_named' })];
    for (const event of events) await deliver(app, event);
    await normalizer(bench).runOnce();

    expect(Object.keys(await tenants())).toEqual([events[2]!['id']]);
    expect(await rowOf(events[0]!)).toMatchObject({
      processing_outcome: 'parked',
      processing_error: 'waits for customer cus_a',
      published_at: null,
    });
    expect(await parked().runOnce()).toBe(1);
    expect(asked).toEqual(['customer/cus_a']);
    await normalizer(bench).runOnce();
    expect(await tenants()).toMatchObject({ [events[0]!['id'] as string]: 'acme', [events[1]!['id'] as string]: 'acme' });
    expect(await rowOf(events[0]!)).toMatchObject({ processing_outcome: 'published', tenant_hint: 'acme', waits_for: null });

    // From now on the customer is known.
    const later = ofCustomer('pi_a3', 'cus_a');
    await deliver(app, later);
    await normalizer(bench).runOnce();
    expect(await tenants()).toMatchObject({ [later['id'] as string]: 'acme' });
    expect(asked).toHaveLength(1);
  });

  it('goes on as soon as the customer tells of itself', async () => {
    customers.set('cus_b', ok(customer('cus_b', { tenant_id: 'acme' })));
    const waiting = ofCustomer('pi_b', 'cus_b');
    await deliver(app, waiting);
    await normalizer(bench).runOnce();
    const told = stripeEvent({ type: 'customer.created' }, customer('cus_b', { tenant_id: 'acme' }));
    await deliver(app, told);
    await hinter(bench, stripe).runOnce();
    await normalizer(bench).runOnce();
    expect(await tenants()).toMatchObject({ [waiting['id'] as string]: 'acme', [told['id'] as string]: 'acme' });
    // For its own event; nobody asked on behalf of the parked one.
    expect(asked).toEqual(['customer/cus_b']);
    expect(await parked().runOnce()).toBe(0);
  });

  it('is not held up by a customer that became known between the look and the parking', async () => {
    const event = ofCustomer('pi_c', 'cus_c');
    await deliver(app, event);
    await normalizer(bench).runOnce();
    await bench.db.insertInto('customer_tenants').values({ stripe_customer: 'cus_c', tenant: 'acme', learned_at: now }).execute();
    expect(await parked().runOnce()).toBe(1);
    expect(asked).toEqual([]);
    await normalizer(bench).runOnce();
    expect(await tenants()).toMatchObject({ [event['id'] as string]: 'acme' });
  });

  it('is of the account, else of the default tenant, when the customer names none or is gone', async () => {
    customers.set('cus_d', ok(customer('cus_d', {})));
    const events = [ofCustomer('pi_d', 'cus_d'), ofCustomer('pi_e', 'cus_gone')];
    for (const event of events) await deliver(app, event);
    await normalizer(bench).runOnce();
    expect(await parked().runOnce()).toBe(2);
    await normalizer(bench, undefined, new Map([['own', 'house']])).runOnce();
    expect(Object.values(await tenants())).toEqual(['house', 'house']);
    const plain = stripeEvent({ account: 'acct_1' }, { id: 'pi_f', customer: 'cus_theirs', metadata: {} });
    await deliver(app, plain);
    await normalizer(bench, undefined, new Map([['acct_1', 'theirs']])).runOnce();
    expect(await tenants()).toMatchObject({ [plain['id'] as string]: 'theirs' });
    expect(asked.toSorted()).toEqual(['customer/cus_d', 'customer/cus_gone']);
  });

  it('is of its account when that is another one, whatever ids of ours its object carries', async () => {
    const claims = stripeEvent({ account: 'acct_1' }, { id: 'pi_claims', metadata: { tenant_id: 'acme' } });
    await deliver(app, claims);
    expect(await rowOf(claims)).toMatchObject({ tenant_hint: null });
    expect(await seenBy('acme')).toEqual([[], [], 0]);
    await normalizer(bench, undefined, new Map([['acct_1', 'theirs']])).runOnce();
    expect(await tenants()).toEqual({ [claims['id'] as string]: 'theirs' });
    expect(await seenBy('acme')).toEqual([[], [], 0]);
  });

  it('waits, later and later, while Stripe cannot be asked', async () => {
    customers.set('cus_g', { kind: 'refused', breaker: 'stripe_reads', retryAfterMs: 30_000 } as never);
    const event = ofCustomer('pi_g', 'cus_g');
    await deliver(app, event);
    await normalizer(bench).runOnce();
    expect(await parked().runOnce()).toBe(0);
    expect(await parked().runOnce()).toBe(0);
    expect(asked).toHaveLength(1);
    now = new Date(now.getTime() + 31_000);
    customers.set('cus_g', ok(customer('cus_g', { tenant_id: 'acme' })));
    expect(await parked().runOnce()).toBe(1);
    await normalizer(bench).runOnce();
    expect(await tenants()).toMatchObject({ [event['id'] as string]: 'acme' });
  });
});

describe('An object that was told of before', () => {
  it('keeps its tenant, whatever somebody edits at Stripe, and lends it to what is about the same payment', async () => {
    const first = stripeEvent({}, { id: 'pi_k', metadata: { tenant_id: 'acme' } });
    const edited = stripeEvent({}, { id: 'pi_k', metadata: { tenant_id: 'thief' } });
    const dispute = stripeEvent(
      { type: 'charge.dispute.created' },
      { id: 'du_k', object: 'dispute', payment_intent: 'pi_k', metadata: {}, balance_transactions: [] },
    );
    for (const event of [first, edited, dispute]) {
      await deliver(app, event);
      await normalizer(bench).runOnce();
    }
    expect(Object.values(await tenants())).toEqual(['acme', 'acme', 'acme']);
    const listed = await answerList(bench.db, request('acme'));
    expect((JSON.parse(listed.body) as { data: unknown[] }).data).toHaveLength(3);
  });
});

describe('Events of something that comes and goes', () => {
  const subscription = (status: string) => ({ id: 'sub_1', object: 'subscription', status, customer: 'cus_s', metadata: {} });
  const told = (type: string, status: string) => stripeEvent({ type: `customer.subscription.${type}` }, subscription(status));

  it('share one request for the object, and one for whose it is, and tell what Stripe shows now', async () => {
    customers.set('sub_1', ok(subscription('canceled')));
    customers.set('cus_s', ok(customer('cus_s', { tenant_id: 'acme' })));
    for (const [type, status] of [
      ['deleted', 'canceled'],
      ['created', 'incomplete'],
      ['updated', 'active'],
      ['updated', 'past_due'],
    ] as const)
      await deliver(app, told(type, status));
    expect(await normalizer(bench).runOnce()).toBe(0);
    expect(await hinter(bench, stripe, clock).runOnce()).toBe(4);
    expect(asked).toEqual(['subscription/sub_1', 'customer/cus_s']);

    const messages = await staged(bench);
    const last = messages.slice(-4);
    expect(last.map(({ subject }) => subject)).toEqual([
      'stripe.events.customer.subscription.deleted.v1',
      'stripe.events.customer.subscription.created.v1',
      'stripe.events.customer.subscription.updated.v1',
      'stripe.events.customer.subscription.updated.v1',
    ]);
    for (const { body } of last)
      expect(body).toMatchObject({
        tenant: 'acme',
        occurred_at: now.toISOString(),
        data: { hint: true, object: { id: 'sub_1', status: 'canceled' } },
      });
  });

  it('that come while the object is on its way are not told by what was asked before', async () => {
    customers.set('cus_s', ok(customer('cus_s', {})));
    const slow: Retriever = {
      retrieveObject: async (kind, id) => {
        if (kind === 'subscription' && asked.length === 0) await deliver(app, told('updated', 'past_due'));
        return stripe.retrieveObject(kind, id);
      },
    };
    customers.set('sub_1', ok(subscription('active')));
    await deliver(app, told('created', 'active'));
    expect(await hinter(bench, slow, clock).runOnce()).toBe(1);
    customers.set('sub_1', ok(subscription('past_due')));
    expect(await hinter(bench, slow, clock).runOnce()).toBe(1);
    expect((await staged(bench)).slice(-2).map(({ body }) => body.data.object.status)).toEqual(['active', 'past_due']);
  });

  it('are published some at a time when one object has thousands', async () => {
    customers.set('cus_s', ok(customer('cus_s', {})));
    customers.set('sub_1', ok(subscription('active')));
    await deliver(app, told('updated', 'active'));
    await sql`INSERT INTO stripe_events (stripe_event_id, created, event_type, object_id, livemode, payload, source, is_hint)
      SELECT stripe_event_id || '_' || n, created, event_type, object_id, livemode, payload, source, is_hint
      FROM stripe_events, generate_series(1, 2199) AS n`.execute(bench.db);
    expect(await hinter(bench, stripe, clock).runOnce()).toBe(2000);
    expect(await hinter(bench, stripe, clock).runOnce()).toBe(200);
    expect(asked.filter((one) => one === 'subscription/sub_1')).toHaveLength(2);
  });

  it('count as younger than what was asked before, also when another process asks whose clock is behind', async () => {
    customers.set('cus_s', ok(customer('cus_s', {})));
    customers.set('sub_1', ok(subscription('past_due')));
    await deliver(app, told('updated', 'past_due'));
    await hinter(bench, stripe, { now: () => new Date(now.getTime() + 2000) }).runOnce();
    customers.set('sub_1', ok(subscription('active')));
    await deliver(app, told('updated', 'active'));
    await hinter(bench, stripe, clock).runOnce();
    const [first, second] = (await staged(bench)).slice(-2).map(({ body }) => body);
    expect([first!.data.object.status, second!.data.object.status]).toEqual(['past_due', 'active']);
    expect(Date.parse(second!.occurred_at)).toBeGreaterThan(Date.parse(first!.occurred_at));
  });
});
