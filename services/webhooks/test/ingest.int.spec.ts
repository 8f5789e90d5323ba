import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { failpointsFrom } from '@tidegate/database/failpoints';
import { STRIPE_TYPES } from '@tidegate/contracts/events/stripe-event';
import { sign } from '@tidegate/stripe-gateway/signature';
import { createLogger } from '@tidegate/telemetry/logger';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { FAILPOINTS } from '../src/failpoints.js';
import { Batcher, RowRefused } from '../src/ingest/batcher.js';
import { insertFault } from '../src/ingest/insert-fault.js';
import { insertEvents, keyOf, type NewStripeEvent } from '../src/stripe-event/stripe-event.store.js';
import { MAX_BODY_BYTES, WEBHOOK_PATH } from '../src/ingest/webhook.route.js';
import {
  deliver,
  listener,
  openWorkbench,
  OTHER_SECRET,
  SECRET,
  silent,
  storedIds,
  stripeEvent,
  withoutPostgres,
  type Workbench,
} from './workbench.js';

let bench: Workbench;
let app: FastifyInstance;
const now = () => Math.floor(Date.now() / 1000);

beforeAll(async () => {
  bench = await openWorkbench();
  app = listener(bench);
}, 60_000);
afterEach(() => bench.db.deleteFrom('stripe_events').execute());
afterAll(async () => {
  await app.close();
  await bench.close();
});

describe('A signed delivery', () => {
  it('is answered 200 when its bytes are committed', async () => {
    const event = stripeEvent();
    const reply = await deliver(app, event);

    expect([reply.statusCode, reply.json()]).toEqual([200, { received: true }]);
    const row = await bench.db.selectFrom('stripe_events').selectAll().executeTakeFirstOrThrow();
    expect(row).toMatchObject({
      stripe_event_id: event['id'],
      event_type: 'payment_intent.succeeded',
      tenant_hint: 'default',
      source: 'webhook',
      processing_outcome: 'received',
    });
    expect(row.payload.toString()).toBe(JSON.stringify(event, null, 2));
  });

  it('may be signed with any active secret', async () => {
    expect((await deliver(app, stripeEvent(), { secret: OTHER_SECRET })).statusCode).toBe(200);
  });

  it('is stored whatever its type', async () => {
    expect((await deliver(app, stripeEvent({ type: 'brand.new.thing' }, { object: 'thing' }))).statusCode).toBe(200);
    expect(await storedIds(bench)).toHaveLength(1);
  });

  it('delivered five times, shuffled among others and at once, is one row', async () => {
    const events = Array.from({ length: 40 }, () => stripeEvent());
    const deliveries = Array.from({ length: 5 }, () => events)
      .flat()
      .sort(() => Math.random() - 0.5);
    const replies = await Promise.all(deliveries.map((event) => deliver(app, event)));

    expect(new Set(replies.map((reply) => reply.statusCode))).toEqual(new Set([200]));
    expect(await storedIds(bench)).toEqual(events.map((event) => event['id']).sort());
  });

  it('is stored in the partition of its month, or in the default one when it has none', async () => {
    const created = [now(), 1_000_000_000, 253_000_000_000];
    for (const one of created) expect((await deliver(app, stripeEvent({ created: one }))).statusCode).toBe(200);
    expect(await storedIds(bench)).toHaveLength(3);
  });
});

describe('What operators see of a delivery', () => {
  const count = async (event_type: string, result: string): Promise<number> => {
    const found = await bench.metrics.registry.getSingleMetric('stripe_webhook_events_total')?.get();
    return found?.values.find(({ labels }) => labels['event_type'] === event_type && labels['result'] === result)?.value ?? NaN;
  };

  it('is a line with its id, its type and the tenant that its object names, and a count of what became of it', async () => {
    const lines: Record<string, unknown>[] = [];
    const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
    const logged = listener({ ...bench, logger: createLogger({ service: 'webhooks', destination }) });
    const event = stripeEvent({}, { metadata: { tenant_id: 'acme' } });
    const nobodys = stripeEvent({ type: 'product.created' }, { object: 'product', metadata: {} });
    const [accepted, duplicate, other, bad] = [
      await count('payment_intent.succeeded', 'accepted'),
      await count('payment_intent.succeeded', 'duplicate'),
      await count('other', 'accepted'),
      await count('unknown', 'bad_signature'),
    ];
    for (const one of [event, event, nobodys]) await deliver(logged, one);
    await deliver(logged, event, { secret: ['whsec', 'stolen'].join('_') });
    await logged.close();

    const received = { event: 'webhook_received', service: 'webhooks', level: 'info' };
    expect(lines).toMatchObject([
      { ...received, stripe_event_id: event['id'], event_type: 'payment_intent.succeeded', tenant_hint: 'acme', result: 'accepted' },
      { ...received, stripe_event_id: event['id'], tenant_hint: 'acme', result: 'duplicate' },
      { ...received, stripe_event_id: nobodys['id'], event_type: 'product.created', tenant_hint: null, result: 'accepted' },
      { event: 'webhook_bad_signature', level: 'warn', deliveries: 1 },
    ]);
    expect(lines[0]).toMatchObject({ correlation_id: event['id'], timestamp: expect.any(String) });
    expect(JSON.stringify(lines)).not.toContain('_secret_');
    expect(await count('payment_intent.succeeded', 'accepted')).toBe(accepted + 1);
    expect(await count('payment_intent.succeeded', 'duplicate')).toBe(duplicate + 1);
    expect(await count('other', 'accepted')).toBe(other + 1);
    expect(await count('unknown', 'bad_signature')).toBe(bad + 1);
  });

  it('is counted for every type that has a contract of its own, from the start', async () => {
    for (const type of STRIPE_TYPES) expect(await count(type, 'failed')).not.toBeNaN();
  });
});

describe('Two endpoints with a secret each', () => {
  it('may feed one store: an event that both deliver is one row', async () => {
    const event = stripeEvent();
    const [first, second] = [listener(bench), listener(bench)];
    const replies = await Promise.all([deliver(first, event), deliver(second, event, { secret: OTHER_SECRET })]);
    expect(replies.map((reply) => reply.statusCode)).toEqual([200, 200]);
    expect(await storedIds(bench)).toEqual([event['id']]);
    await Promise.all([first.close(), second.close()]);
  });
});

describe('When the process fails between insert and answer', () => {
  it('the redelivery makes no second row', async () => {
    const failing = listener(bench, { failpoints: failpointsFrom('webhooks.ingest.insert.after_commit:error', FAILPOINTS, silent) });
    const event = stripeEvent();
    expect((await deliver(failing, event)).statusCode).toBe(503);
    expect(await storedIds(bench)).toEqual([event['id']]);

    expect((await deliver(app, event)).statusCode).toBe(200);
    expect(await storedIds(bench)).toEqual([event['id']]);
    await failing.close();
  });

  it('and before the commit, nothing is there and the redelivery stores it', async () => {
    const failing = listener(bench, { failpoints: failpointsFrom('webhooks.ingest.insert.before_commit:error', FAILPOINTS, silent) });
    const event = stripeEvent();
    expect((await deliver(failing, event)).statusCode).toBe(503);
    expect(await storedIds(bench)).toEqual([]);
    expect((await deliver(app, event)).statusCode).toBe(200);
    await failing.close();
  });
});

describe('One row of a batch that Postgres refuses', () => {
  it('fails alone; the others of the batch are committed', async () => {
    const sizes: number[] = [];
    const batcher = new Batcher<NewStripeEvent>({
      insert: (rows) => {
        sizes.push(rows.length);
        return bench.db.transaction().execute((tx) => insertEvents(tx, rows));
      },
      keyOf,
      faultOf: insertFault,
    });
    const row = (id: string, event_type = 'charge.failed'): NewStripeEvent => ({
      ...{ stripe_event_id: id, created: new Date(), event_type, object_id: null, tenant_hint: null, account: null, livemode: false },
      ...{ api_version: null, payload: Buffer.from('{}'), source: 'webhook', traceparent: null, is_hint: false },
    });
    const results = await Promise.allSettled([row('evt_a'), row('evt_b', 'a\u0000b'), row('evt_c')].map((one) => batcher.add(one)));
    expect(results).toEqual([
      { status: 'fulfilled', value: 'accepted' },
      { status: 'rejected', reason: expect.any(RowRefused) },
      { status: 'fulfilled', value: 'accepted' },
    ]);
    expect(sizes).toEqual([3, 1, 1, 1]);
    expect(await storedIds(bench)).toEqual(['evt_a', 'evt_c']);
  });
});

describe('Rubbish', () => {
  const body = JSON.stringify(stripeEvent());
  const signed = (payload: string | Buffer) => sign(Buffer.from(payload), SECRET, now());
  const post = (payload: string | Buffer, headers: Record<string, string>): InjectOptions => ({
    method: 'POST',
    url: WEBHOOK_PATH,
    payload,
    headers,
  });
  const json = (payload: string | Buffer, headers: Record<string, string> = {}): InjectOptions =>
    post(payload, { 'content-type': 'application/json', 'stripe-signature': signed(payload), ...headers });
  const event = (changes: Record<string, unknown>) => JSON.stringify(stripeEvent(changes));

  it.each<[string, number, () => InjectOptions]>([
    ['no signature', 400, () => post(body, { 'content-type': 'application/json' })],
    ['an empty signature', 400, () => json(body, { 'stripe-signature': '' })],
    ['a signature of other bytes', 400, () => json(body, { 'stripe-signature': signed('{}') })],
    [
      'a signature of another secret',
      400,
      () => json(body, { 'stripe-signature': sign(Buffer.from(body), ['whsec', 'stolen'].join('_'), now()) }),
    ],
    ['a signature without a time', 400, () => json(body, { 'stripe-signature': signed(body).replace(/^t=\d+,/, '') })],
    [
      'a signature with a huge time',
      400,
      () => json(body, { 'stripe-signature': signed(body).replace(/^t=\d+/, 't=99999999999999999999') }),
    ],
    ['a signature header of 60 KB', 400, () => json(body, { 'stripe-signature': `t=1,${'v1=ab,'.repeat(2000)}` })],
    ['a v0 signature only', 400, () => json(body, { 'stripe-signature': signed(body).replace('v1=', 'v0=') })],
    ['a signature from six minutes ago', 400, () => json(body, { 'stripe-signature': sign(Buffer.from(body), SECRET, now() - 360) })],
    ['a signature from six minutes ahead', 400, () => json(body, { 'stripe-signature': sign(Buffer.from(body), SECRET, now() + 360) })],
    ['nothing', 400, () => json('')],
    ['broken JSON', 400, () => json('{"id":')],
    ['a JSON string', 400, () => json('"evt_1"')],
    ['an array', 400, () => json('[]')],
    ['null', 400, () => json('null')],
    ['bytes that are no text', 400, () => json(Buffer.from([0xff, 0xfe, 0x00, 0x80]))],
    ['an object that is no event', 400, () => json('{"object":"charge"}')],
    ['an event without an id', 400, () => json(event({ id: undefined }))],
    ['an event with a NUL in its type', 400, () => json(event({ type: 'a\u0000b' }))],
    ['an event with a NUL in its account', 400, () => json(event({ account: 'acct_\u0000' }))],
    ['an event of the year 40000', 400, () => json(event({ created: 1_200_000_000_000 }))],
    ['a bomb of brackets', 400, () => json('['.repeat(200_000))],
    ['a deep object', 400, () => json(`{"a":`.repeat(1000) + '1' + '}'.repeat(1000))],
    ['a body above 256 KiB', 413, () => json(`"${'x'.repeat(MAX_BODY_BYTES)}"`)],
    ['a form', 415, () => json(body, { 'content-type': 'application/x-www-form-urlencoded' })],
    ['text', 415, () => json(body, { 'content-type': 'text/plain' })],
    ['a made-up type', 415, () => json(body, { 'content-type': 'application/jsonish' })],
    ['a type that is no type', 415, () => json(body, { 'content-type': ';;;' })],
    ['no type', 415, () => post(body, {})],
    ['neither type nor body', 415, () => ({ method: 'POST', url: WEBHOOK_PATH })],
    ['a compressed body', 415, () => json(body, { 'content-encoding': 'gzip' })],
    ['GET', 405, () => ({ method: 'GET', url: WEBHOOK_PATH })],
    ['HEAD', 405, () => ({ method: 'HEAD', url: WEBHOOK_PATH })],
    ['PUT', 405, () => ({ method: 'PUT', url: WEBHOOK_PATH, payload: body, headers: { 'content-type': 'text/plain' } })],
    ['PATCH', 405, () => ({ method: 'PATCH', url: WEBHOOK_PATH })],
    ['DELETE', 405, () => ({ method: 'DELETE', url: WEBHOOK_PATH })],
    ['OPTIONS', 405, () => ({ method: 'OPTIONS', url: WEBHOOK_PATH })],
  ])('as %s is answered %i, stored never', async (_what, status, made) => {
    const request = made();
    const reply = await app.inject(request);
    expect(reply.statusCode).toBe(status);
    if (request.method !== 'HEAD') expect(reply.json()).toMatchObject({ status, code: expect.any(String), request_id: expect.any(String) });
    if (status === 405) expect(reply.headers['allow']).toBe('POST');
    expect(await storedIds(bench)).toEqual([]);
  });
});

describe('While Postgres is away', () => {
  it('deliveries are answered 503 and stored when they come again', async () => {
    const event = stripeEvent();
    const refused = await withoutPostgres(bench, () => deliver(app, event));

    expect(refused.statusCode).toBe(503);
    expect((await deliver(app, event)).statusCode).toBe(200);
    expect(await storedIds(bench)).toEqual([event['id']]);
  });
});
