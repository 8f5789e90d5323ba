import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { NormalizedStripeEvent } from '@tidegate/contracts/events/stripe-event';
import { failpointsFrom } from '@tidegate/database/failpoints';
import { sql } from 'kysely';
import type { Retriever } from '../src/hint/retrieve.js';
import { FAILPOINTS } from '../src/failpoints.js';
import { Partitions } from '../src/stripe-event/partitions.js';
import { oldestUnpublishedSeconds } from '../src/stripe-event/stripe-event.store.js';
import { deliver, hinter, listener, normalizer, openWorkbench, silent, staged, stripeEvent, type Workbench } from './workbench.js';

let bench: Workbench;
let app: ReturnType<typeof listener>;

beforeAll(async () => {
  bench = await openWorkbench();
  app = listener(bench);
}, 60_000);
afterEach(async () => {
  await bench.db.deleteFrom('stripe_events').execute();
  await bench.db.deleteFrom('published_versions').execute();
});
afterAll(async () => {
  await app.close();
  await bench.close();
});

const newlyStaged = async (before: number) => (await staged(bench)).filter((row) => row.id > before);
const lastId = async () => (await staged(bench)).at(-1)?.id ?? 0;
const intent = (id: string, status = 'succeeded') => ({ id, status });

const hints = (answer: () => Awaited<ReturnType<Retriever['retrieveObject']>>) => {
  const asked: string[] = [];
  const stripe: Retriever = { retrieveObject: async (_kind, id) => (asked.push(id), answer()) };
  return { asked, loop: hinter(bench, stripe) };
};

describe('A stored delivery', () => {
  it('is published once, under the subject of its type, without its client secret', async () => {
    const before = await lastId();
    const event = stripeEvent({ request: { id: 'req_1', idempotency_key: 'cmd_1:confirm:1' } }, { id: 'pi_once' });
    await deliver(app, event);

    expect(await normalizer(bench).runOnce()).toBe(1);
    expect(await normalizer(bench).runOnce()).toBe(0);
    const [message, ...others] = await newlyStaged(before);
    expect(others).toEqual([]);
    expect(message).toMatchObject({
      aggregate: 'pi_once',
      subject: 'stripe.events.payment_intent.succeeded.v1',
      body: {
        type: 'payment_intent.succeeded',
        version: 1,
        tenant: 'default',
        aggregate: { id: 'pi_once', version: 1 },
        correlation_id: event['id'],
      },
    });
    expect(NormalizedStripeEvent.parse(message!.body.data)).toMatchObject({ hint: false, request_idempotency_key: 'cmd_1:confirm:1' });
    expect(JSON.stringify(message)).not.toContain('planted');
    expect(await bench.db.selectFrom('stripe_events').select(['processing_outcome', 'attempts']).executeTakeFirst()).toEqual({
      processing_outcome: 'published',
      attempts: 1,
    });
  });

  it('of another account says so', async () => {
    const before = await lastId();
    await deliver(app, stripeEvent({ account: 'acct_connected' }));
    await deliver(app, stripeEvent());
    await normalizer(bench).runOnce();
    expect((await newlyStaged(before)).map(({ body }) => body.account)).toEqual(['acct_connected', null]);
  });

  it('of a type that nobody knows is published too', async () => {
    const before = await lastId();
    await deliver(app, stripeEvent({ type: 'product.created' }, { object: 'product', id: 'prod_1', metadata: {} }));
    await normalizer(bench).runOnce();
    expect(await newlyStaged(before)).toMatchObject([
      { subject: 'stripe.events.other.v1', aggregate: 'prod_1', body: { data: { type: 'product.created' } } },
    ]);
  });

  it('carries metadata that Postgres could not store as jsonb', async () => {
    const before = await lastId();
    await deliver(
      app,
      JSON.stringify(stripeEvent({}, { metadata: {} })).replace('"metadata":{}', '"metadata":{"payment_id":"a\\u0000b\\ud800"}'),
    );
    await normalizer(bench).runOnce();
    expect((await newlyStaged(before))[0]!.body.data.object.metadata).toEqual({ payment_id: 'ab\ufffd' });
  });
});

describe('Many deliveries', () => {
  it('published by three replicas at once are published once each, with dense versions per object', async () => {
    const before = await lastId();
    const events = Array.from({ length: 300 }, (_, i) => stripeEvent({}, intent(`pi_many_${i % 7}`)));
    await Promise.all(events.map((event) => deliver(app, event)));

    const replicas = Array.from({ length: 3 }, () => normalizer(bench));
    const drain = async (one: (typeof replicas)[number]) => {
      while ((await one.runOnce()) > 0);
    };
    await Promise.all(replicas.map(drain));
    await drain(replicas[0]!);

    const messages = await newlyStaged(before);
    expect(messages.map((one) => one.body.data.stripe_event_id).sort()).toEqual(events.map((event) => event['id']).sort());
    for (const aggregate of new Set(messages.map((one) => one.aggregate))) {
      const versions = messages.filter((one) => one.aggregate === aggregate).map((one) => one.body.aggregate.version);
      expect(versions).toEqual(versions.map((_, i) => i + 1));
    }
  });

  it('are published in order of arrival', async () => {
    const before = await lastId();
    const events = Array.from({ length: 5 }, () => stripeEvent({}, intent('pi_order')));
    for (const event of events) await deliver(app, event);
    await normalizer(bench).runOnce();
    expect((await newlyStaged(before)).map((one) => one.body.data.stripe_event_id)).toEqual(events.map((event) => event['id']));
  });
});

describe('One event that cannot be published', () => {
  it('fails alone, visibly, and is not dropped', async () => {
    const before = await lastId();
    const [good, poison] = [stripeEvent(), stripeEvent()];
    await deliver(app, poison);
    await deliver(app, good);
    await sql`UPDATE stripe_events SET payload = '\\x7b' WHERE stripe_event_id = ${poison['id']}`.execute(bench.db);

    await normalizer(bench).runOnce();
    expect((await newlyStaged(before)).map((one) => one.body.data.stripe_event_id)).toEqual([good['id']]);
    const row = await bench.db
      .selectFrom('stripe_events')
      .selectAll()
      .where('stripe_event_id', '=', poison['id'] as string)
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({ processing_outcome: 'failed', attempts: 1, published_at: null });
    expect(row.retry_at!.getTime()).toBeGreaterThan(Date.now());
  });
});

describe('When the process dies around the commit of a batch', () => {
  it.each(['before_commit', 'after_commit'])('%s: every event is published once all the same', async (moment) => {
    const before = await lastId();
    const events = Array.from({ length: 3 }, () => stripeEvent());
    for (const event of events) await deliver(app, event);
    const dying = normalizer(bench, failpointsFrom(`webhooks.normalize.stage.${moment}:error:1`, FAILPOINTS, silent));
    await dying.runOnce();
    await normalizer(bench).runOnce();
    expect((await newlyStaged(before)).map((one) => one.body.data.stripe_event_id).sort()).toEqual(
      events.map((event) => event['id']).sort(),
    );
  });
});

describe('A thin event', () => {
  const thin = (id: string, object: string) => ({
    id,
    object: 'v2.core.event',
    type: 'v1.payment_intent.succeeded',
    created: new Date().toISOString(),
    livemode: false,
    related_object: { id: object, type: 'payment_intent', url: `/v1/payment_intents/${object}` },
  });
  const retrieved = {
    object: 'payment_intent',
    id: 'pi_thin',
    status: 'succeeded',
    amount: 500,
    amount_received: 500,
    currency: 'eur',
    metadata: { tenant_id: 'other' },
  };

  it('is published with the object as Stripe shows it, retrieved once for several events', async () => {
    const before = await lastId();
    await deliver(app, thin('evt_thin1', 'pi_thin'));
    await deliver(app, thin('evt_thin2', 'pi_thin'));
    expect(await normalizer(bench).runOnce()).toBe(0);

    const { loop, asked } = hints(() => ({ kind: 'ok', value: retrieved as never, requestId: null }));
    expect(await loop.runOnce()).toBe(2);
    expect(asked).toEqual(['pi_thin']);
    const [first, second] = await newlyStaged(before);
    expect(first).toMatchObject({
      subject: 'stripe.events.payment_intent.succeeded.v1',
      aggregate: 'pi_thin',
      body: { tenant: 'other', data: { hint: true, object: { amount: 500 } } },
    });
    expect(second!.body.aggregate.version).toBe(2);
  });

  it('waits, and is never dropped, while Stripe cannot be asked', async () => {
    const before = await lastId();
    await deliver(app, thin('evt_thin3', 'pi_thin'));
    await hints(() => ({ kind: 'refused', retryAfterMs: 30_000 })).loop.runOnce();
    expect(await newlyStaged(before)).toEqual([]);
    const row = await bench.db.selectFrom('stripe_events').selectAll().executeTakeFirstOrThrow();
    expect(row).toMatchObject({ processing_outcome: 'received', processing_error: 'stripe: refused', published_at: null });
    expect(row.retry_at!.getTime()).toBeGreaterThan(Date.now() + 25_000);
    expect(await oldestUnpublishedSeconds(bench.db, new Date(Date.now() + 5000))).toBeGreaterThan(4);
  });
});

describe('A delivery in another API version', () => {
  it.each(['2026-09-30.endive', null])('(%s) is a hint: what is published is the object as it is at ours', async (api_version) => {
    const before = await lastId();
    await deliver(app, stripeEvent({ api_version }, { id: 'pi_old', amount: 1 }));
    expect(await normalizer(bench).runOnce()).toBe(0);

    const now = { object: 'payment_intent', id: 'pi_old', status: 'succeeded', amount: 4200, currency: 'usd', metadata: {} };
    const { loop, asked } = hints(() => ({ kind: 'ok', value: now as never, requestId: null }));
    expect([await loop.runOnce(), asked]).toEqual([1, ['pi_old']]);
    const [message] = await newlyStaged(before);
    expect(message!.body.data).toMatchObject({ hint: true, api_version, object: { amount: 4200 } });
  });
});

describe('A hint that cannot be published', () => {
  it('is set aside, visibly, and holds up no other', async () => {
    const before = await lastId();
    const hint = (id: string) => ({
      id,
      object: 'v2.core.event',
      type: 'v1.payment_intent.succeeded',
      created: new Date().toISOString(),
      livemode: false,
      related_object: { id: `pi_${id}`, type: 'payment_intent', url: `/v1/payment_intents/pi_${id}` },
    });
    await deliver(app, hint('evt_poison'));
    await deliver(app, hint('evt_sound'));
    await sql`UPDATE stripe_events SET payload = '\\x7b' WHERE stripe_event_id = 'evt_poison'`.execute(bench.db);
    const stripe = { retrieveObject: async () => ({ kind: 'not_found' }) } as unknown as Retriever;
    let alive = 0;
    const loop = hinter(bench, stripe);
    expect(await loop.runOnce({ alive: () => (alive += 1) })).toBe(1);
    expect((await newlyStaged(before)).map((one) => one.body.data.stripe_event_id)).toEqual(['evt_sound']);
    const rows = await bench.db.selectFrom('stripe_events').selectAll().where('stripe_event_id', '=', 'evt_poison').execute();
    expect(rows).toMatchObject([{ processing_outcome: 'failed', attempts: 1, published_at: null, retry_at: expect.any(Date) }]);
    expect(alive).toBe(2);
  });
});

describe('Partitions', () => {
  it('are made for the months around now, once, and rows go there', async () => {
    const now = new Date();
    const one = new Partitions(bench.db, silent);
    await Promise.all([one.ensureAhead(now), new Partitions(bench.db, silent).ensureAhead(now)]);
    await deliver(app, stripeEvent());
    const { rows } = await sql<{ partition: string }>`SELECT tableoid::regclass::text AS partition FROM stripe_events`.execute(bench.db);
    expect(rows).toEqual([{ partition: `stripe_events_${now.toISOString().slice(0, 7).replace('-', '_')}` }]);
  });

  it('are not made for far times: the default one takes the rows', async () => {
    const far = new Date('2001-02-03T00:00:00Z');
    await new Partitions(bench.db, silent).ensureFor([far], new Date());
    await deliver(app, stripeEvent({ created: far.getTime() / 1000 }));
    const { rows } = await sql<{ partition: string }>`SELECT tableoid::regclass::text AS partition FROM stripe_events`.execute(bench.db);
    expect(rows).toEqual([{ partition: 'stripe_events_default' }]);
  });
});
