import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { WebhookEventView } from '@tidegate/contracts/responses';
import type { RouteRequest } from '@tidegate/contracts/rpc/routes';
import type { StripeEventHandled } from '@tidegate/contracts/events/stripe-event-handled';
import type { Incoming } from '@tidegate/messaging/subscriber';
import type { KyselyPlugin } from 'kysely';
import { outcomeConsumer } from '../src/stripe-event/outcome.consumer.js';
import { answerGet, answerList, answerOperatorList } from '../src/stripe-event/stripe-event.rpc.js';
import { postpone } from '../src/stripe-event/stripe-event.store.js';
import { webhookMetrics } from '../src/webhook-metrics.js';
import { deliver, listener, normalizer, openWorkbench, stripeEvent, type Workbench } from './workbench.js';

let bench: Workbench;
let app: ReturnType<typeof listener>;

beforeAll(async () => {
  bench = await openWorkbench();
  app = listener(bench);
}, 60_000);
afterEach(async () => {
  await bench.db.deleteFrom('stripe_events').execute();
  await bench.db.deleteFrom('stripe_event_outcomes').execute();
});
afterAll(async () => {
  await app.close();
  await bench.close();
});

async function stored(changes: Record<string, unknown> = {}, object: Record<string, unknown> = {}): Promise<string> {
  const event = stripeEvent(changes, object);
  await deliver(app, event);
  return event['id'] as string;
}

async function reported(
  service: 'payments' | 'reconciliation',
  report: Partial<StripeEventHandled> & { stripe_event_id: string },
  at = new Date(),
): Promise<void> {
  const handler = consumerOf(service);
  const message = messageOf(service, report, at);
  await bench.db.transaction().execute((tx) => handler.handle(tx, message, undefined));
  handler.afterCommit?.(message);
}

const consumerOf = (service: 'payments' | 'reconciliation') =>
  outcomeConsumer(
    service,
    webhookMetrics(bench.metrics, () => Promise.resolve(0)),
  );

const messageOf = (service: string, report: Partial<StripeEventHandled> & { stripe_event_id: string }, at: Date) =>
  ({
    subject: `${service}.events.stripe_event.handled.v1`,
    envelope: {
      occurred_at: at.toISOString(),
      data: { consumer: `${service}-stripe-events`, outcome: 'processed', reason: null, ...report },
    },
  }) as unknown as Incoming;

const outcomeOf = (id: string) =>
  bench.db
    .selectFrom('stripe_events')
    .select(['processing_outcome', 'processing_error'])
    .where('stripe_event_id', '=', id)
    .executeTakeFirst();

const request = (changes: Partial<RouteRequest>): RouteRequest => ({
  tenant: 'default',
  actor: 'key_1',
  request_id: 'req_1',
  correlation_id: 'req_1',
  route: 'GET /v1/webhook-events',
  params: {},
  query: {},
  idempotency_key: null,
  respond_async: false,
  livemode: false,
  body: null,
  ...changes,
});

describe('What consumers report', () => {
  it('is the outcome of the event, whoever needs most attention', async () => {
    const id = await stored();
    await reported('reconciliation', { stripe_event_id: id });
    expect(await outcomeOf(id)).toEqual({ processing_outcome: 'processed', processing_error: null });
    await reported('payments', { stripe_event_id: id, outcome: 'parked', reason: 'no such payment yet' });
    expect(await outcomeOf(id)).toEqual({ processing_outcome: 'parked', processing_error: 'payments-stripe-events: no such payment yet' });
    await reported('payments', { stripe_event_id: id }, new Date(Date.now() + 1000));
    expect(await outcomeOf(id)).toEqual({ processing_outcome: 'processed', processing_error: null });
  });

  it('is not overwritten by an older report', async () => {
    const id = await stored();
    await reported('payments', { stripe_event_id: id });
    await reported('payments', { stripe_event_id: id, outcome: 'parked' }, new Date(Date.now() - 5000));
    expect((await outcomeOf(id))?.processing_outcome).toBe('processed');
  });

  it('of many events takes four statements, so that the rows of none are held for long, and of each consumer the latest counts', async () => {
    const ids = await Promise.all(Array.from({ length: 50 }, () => stored()));
    const [first, second, third] = ids as [string, string, string];
    const at = (seconds: number) => new Date(1_795_240_799_000 + seconds * 1000);
    const messages = [
      ...ids.map((id) => messageOf('payments', { stripe_event_id: id }, at(0))),
      messageOf('payments', { stripe_event_id: first, outcome: 'failed', reason: 'broken' }, at(1)),
      messageOf('payments', { stripe_event_id: second, outcome: 'failed', reason: 'broken' }, at(-1)),
      messageOf('payments', { stripe_event_id: third, outcome: 'failed', reason: 'broken' }, at(1)),
      messageOf('payments', { stripe_event_id: third, outcome: 'ignored' }, at(1)),
      messageOf('payments', { stripe_event_id: 'evt_elsewhere' }, at(0)),
      { ...messageOf('payments', { stripe_event_id: first }, at(9)), subject: 'payments.events.payment.succeeded.v1' },
    ];
    let statements = 0;
    const counting: KyselyPlugin = {
      transformQuery: ({ node }) => ((statements += 1), node),
      transformResult: ({ result }) => Promise.resolve(result),
    };
    await bench.db.transaction().execute((tx) => consumerOf('payments').handleAll!(tx.withPlugin(counting), messages));
    expect(statements).toBe(4);
    const outcomes = await Promise.all(ids.map(outcomeOf));
    expect(outcomes.map((one) => one?.processing_outcome)).toEqual([
      'failed',
      'processed',
      'ignored',
      ...ids.slice(3).map(() => 'processed'),
    ]);
    expect(outcomes[0]?.processing_error).toBe('payments-stripe-events: broken');
    expect(await bench.db.selectFrom('stripe_event_outcomes').select('stripe_event_id').execute()).toHaveLength(50);
  });

  it('by both at once loses neither', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => stored()));
    await Promise.all(
      ids.flatMap((id) => [
        reported('payments', { stripe_event_id: id, outcome: 'foreign' }),
        reported('reconciliation', { stripe_event_id: id }),
      ]),
    );
    for (const id of ids) expect((await outcomeOf(id))?.processing_outcome).toBe('foreign');
  });

  it('is counted by the type of the event', async () => {
    const count = async (labels: Record<string, string>) => {
      const { values } = (await bench.metrics.registry.getSingleMetric('stripe_webhook_events_total')?.get()) ?? { values: [] };
      return values.find((one) => Object.entries(labels).every(([name, value]) => one.labels[name] === value))?.value;
    };
    const before = (await count({ event_type: 'charge.failed', result: 'foreign' })) ?? 0;
    await reported('payments', { stripe_event_id: await stored({ type: 'charge.failed' }), outcome: 'foreign' });
    expect(await count({ event_type: 'charge.failed', result: 'foreign' })).toBe(before + 1);
  });

  it('about an event that is not here does no harm, and other facts are passed over', async () => {
    await reported('payments', { stripe_event_id: 'evt_elsewhere' });
    await consumerOf('payments').handle(null as never, { subject: 'payments.events.payment.succeeded.v1' } as Incoming, undefined);
  });
});

describe('Why an event failed', () => {
  const USUAL_MAX_PAYLOAD = 1024 * 1024;
  const long = `at postgres://webhooks:${'hunter2'}@db: ${'\u0001"\\\u{1f4a5}'.repeat(20_000)}`;
  const errors = async (answer: typeof answerList, query: Record<string, string> = {}) => {
    const reply = await answer(bench.db, request({ query: { limit: '100', ...query } }));
    expect(Buffer.byteLength(JSON.stringify(reply))).toBeLessThan(USUAL_MAX_PAYLOAD);
    return JSON.parse(reply.body) as { data: { id: string; error: string | null }[]; has_more: boolean; next_cursor: string | null };
  };

  it('is kept as long as somebody reads on, without secrets, whoever met it', async () => {
    const [unhandled, unpublished] = [await stored(), await stored()];
    await reported('payments', { stripe_event_id: unhandled, outcome: 'failed', reason: `\0${long}` });
    const keys = bench.db.selectFrom('stripe_events').select(['created', 'stripe_event_id']).where('stripe_event_id', '=', unpublished);
    await postpone(bench.db, await keys.execute(), { at: new Date(), outcome: 'failed', error: `\0${long}` });
    for (const id of [unhandled, unpublished]) {
      const { processing_error } = (await outcomeOf(id))!;
      expect(processing_error).toContain('at postgres://webhooks:[secret]@db: ');
      expect(processing_error!.length).toBeLessThan(1100);
    }
  });

  it('is told to operators; a tenant, whom what databases and schemas say is none of, that it did', async () => {
    const id = await stored();
    await normalizer(bench).runOnce();
    await reported('payments', { stripe_event_id: id, outcome: 'failed', reason: 'relation "payments" does not exist' });
    expect((await errors(answerOperatorList)).data).toMatchObject([
      { id, error: 'payments-stripe-events: relation "payments" does not exist' },
    ]);
    const told = 'It could not be handled; an operator sees why, and can replay it.';
    expect((await errors(answerList)).data).toMatchObject([{ id, error: told }]);
    expect(JSON.parse((await answerGet(bench.db, request({ params: { id } }))).body)).toMatchObject({ id, error: told });
  });

  it('of a hundred events fits into a message of the broker, page by page, however long it was kept before', async () => {
    const ids = await Promise.all(Array.from({ length: 100 }, () => stored()));
    await bench.db
      .updateTable('stripe_events')
      .set({ processing_outcome: 'failed', processing_error: long.slice(0, 6000) })
      .execute();
    const seen: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const { data, has_more, next_cursor } = await errors(answerOperatorList, cursor ? { cursor } : {});
      expect([data.length > 0, has_more]).toEqual([true, next_cursor !== null]);
      seen.push(...data.map(({ id }) => id));
      cursor = next_cursor;
    }
    expect(seen.toSorted()).toEqual(ids.toSorted());
  });
});

describe('The list of webhook events', () => {
  const list = async (query: Record<string, string>, tenant = 'default') => {
    const reply = await answerList(bench.db, request({ query, tenant }));
    return {
      status: reply.status,
      ...(JSON.parse(reply.body) as { data: WebhookEventView[]; has_more: boolean; next_cursor: string | null; code?: string }),
    };
  };

  it('pages newest first, each event once', async () => {
    const created = Math.floor(Date.now() / 1000);
    const ids = [];
    for (let i = 0; i < 7; i += 1) ids.push(await stored({ created: created - Math.floor(i / 2) }));
    const seen: string[] = [];
    for (let cursor: string | null = null; ;) {
      const page = await list({ limit: '3', ...(cursor ? { cursor } : {}) });
      seen.push(...page.data.map((one) => one.id));
      for (const one of page.data) expect(WebhookEventView.parse(one)).toEqual(one);
      cursor = page.next_cursor;
      expect(page.has_more).toBe(cursor !== null);
      if (cursor === null) break;
    }
    expect([...seen].sort()).toEqual([...ids].sort());
  });

  it('filters by status, type, ids and time', async () => {
    const old = await stored({ created: 1_700_000_000, type: 'charge.failed' });
    const fresh = await stored({}, { id: 'pi_fresh' });
    await normalizer(bench).runOnce();
    await reported('payments', { stripe_event_id: old, outcome: 'failed', reason: 'x' });

    const ids = async (query: Record<string, string>) => (await list(query)).data.map((one) => one.id);
    expect(await ids({ status: 'failed' })).toEqual([old]);
    expect(await ids({ status: 'published' })).toEqual([fresh]);
    expect(await ids({ type: 'charge.failed' })).toEqual([old]);
    expect(await ids({ object_id: 'pi_fresh', type: 'payment_intent.succeeded' })).toEqual([fresh]);
    expect(await ids({ ids: `${fresh},evt_none` })).toEqual([fresh]);
    expect(await ids({ created_lt: '2024-01-01T00:00:00Z' })).toEqual([old]);
    expect(await ids({ created_gte: '2024-01-01T00:00:00Z' })).toEqual([fresh]);
  });

  it('shows a tenant its own events only, without payloads', async () => {
    const mine = await stored({}, { metadata: { tenant_id: 'other' } });
    const unnamed = await stored({}, { metadata: {} });
    await normalizer(bench).runOnce();
    expect((await list({}, 'other')).data.map((one) => one.id)).toEqual([mine]);
    expect((await list({})).data.map((one) => one.id)).toEqual([unnamed]);
    expect((await list({ tenant: 'other' })).data).toEqual([]);

    const get = async (tenant: string) => answerGet(bench.db, request({ tenant, params: { id: mine } }));
    expect((await get('default')).status).toBe(404);
    const reply = await get('other');
    expect([reply.status, reply.body.includes('planted')]).toEqual([200, false]);
  });

  const longAgo = Buffer.from('-999999999999999/evt_1').toString('base64url');
  it.each([
    { limit: '0' },
    { limit: '101' },
    { cursor: 'x' },
    { cursor: longAgo },
    { status: 'nope' },
    { created_gte: 'yesterday' },
    { colour: 'red' },
  ])('refuses %j', async (query) => {
    expect(await list(query as Record<string, string>)).toMatchObject({ status: 400, code: 'validation.failed' });
  });
});
