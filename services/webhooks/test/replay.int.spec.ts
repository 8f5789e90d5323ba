import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { OperatorEventDetail, ReplayOrderView, ReplayView, WebhookEventFilter } from '@tidegate/contracts/ops/webhook-events';
import {
  OperatorEventDetail as OperatorEventDetailSchema,
  ReplayOrderView as OrderSchema,
  ReplayView as ViewSchema,
} from '@tidegate/contracts/ops/webhook-events';
import type { HttpReply } from '@tidegate/contracts/rpc/http-reply';
import type { RouteRequest } from '@tidegate/contracts/rpc/routes';
import { failpointsFrom, noFailpoints, type Failpoints } from '@tidegate/database/failpoints';
import { systemClock } from '@tidegate/service-host/clock';
import { sql } from 'kysely';
import { FAILPOINTS } from '../src/failpoints.js';
import type { Retriever } from '../src/hint/retrieve.js';
import { recordOutcomes } from '../src/stripe-event/outcome.store.js';
import { oldestUnpublishedSeconds } from '../src/stripe-event/stripe-event.store.js';
import { answerOperatorGet, answerOperatorList } from '../src/stripe-event/stripe-event.rpc.js';
import { Replay } from '../src/replay/replay.loop.js';
import { preview } from '../src/replay/preview.store.js';
import * as rpc from '../src/replay/replay.rpc.js';
import { deliver, hinter, listener, normalizer, openWorkbench, silent, staged, stripeEvent, type Workbench } from './workbench.js';

let bench: Workbench;
let app: ReturnType<typeof listener>;
const logged: { event: string; action?: string }[] = [];

beforeAll(async () => {
  bench = await openWorkbench();
  app = listener(bench);
}, 60_000);
afterEach(async () => {
  for (const table of ['stripe_events', 'stripe_event_outcomes', 'replay_jobs'] as const) await bench.db.deleteFrom(table).execute();
});
afterAll(async () => {
  await app.close();
  await bench.close();
});

const logger = {
  ...silent,
  warn: (fields: { event: string }) => logged.push(fields),
  info: (fields: { event: string }) => logged.push(fields),
} as never;
const parts = () => ({ db: bench.db, clock: systemClock, logger, ordered: () => undefined });
const replay = (failpoints: Failpoints = noFailpoints) =>
  new Replay({ db: bench.db, failpoints, clock: systemClock, logger, taken: () => undefined });

const request = (changes: Partial<RouteRequest>): RouteRequest => ({
  tenant: 'default',
  actor: 'key_1',
  request_id: 'req_1',
  correlation_id: 'req_1',
  route: 'POST /v1/webhook-events/replay',
  params: {},
  query: {},
  idempotency_key: null,
  respond_async: false,
  livemode: false,
  body: null,
  ...changes,
});
const read = <T>(reply: HttpReply): T & { status_code: number } => ({ status_code: reply.status, ...(JSON.parse(reply.body) as T) });
const order = async (filter: WebhookEventFilter, more: object = {}, changes: Partial<RouteRequest> = {}) => {
  const body = { filter, reason: 'consumer fixed in 1.4.2', ...more };
  return OrderSchema.parse(JSON.parse((await rpc.answerOperatorReplay(parts(), request({ body, ...changes }))).body));
};
const show = async (id: string) =>
  ViewSchema.parse(JSON.parse((await rpc.answerOperatorReplayGet(parts(), request({ params: { id } }))).body));
const tell = async (verb: 'Stop' | 'Resume', id: string) =>
  read<ReplayView & { code?: string }>(
    await rpc[`answerReplay${verb}`](parts(), request({ params: { id }, body: { reason: 'a look first' } })),
  );

/** Delivers and publishes, and reports what a consumer made of it. */
async function happened(
  outcome: 'processed' | 'failed',
  changes: Record<string, unknown> = {},
  object: Record<string, unknown> = {},
): Promise<string> {
  const event = stripeEvent(changes, object);
  const id = event['id'] as string;
  await deliver(app, event);
  while ((await normalizer(bench).runOnce()) > 0);
  const report = { stripe_event_id: id, consumer: 'payments-stripe-events', outcome, reason: outcome === 'failed' ? 'a bug' : null };
  await bench.db.transaction().execute((tx) => recordOutcomes(tx, [{ report, at: new Date() }]));
  return id;
}

/** Takes and publishes until nothing is left to do; how many passes took something. */
async function untilDone(loop = replay()): Promise<number> {
  let passes = 0;
  for (; (await loop.runOnce({ epoch: 1 })) > 0; passes += 1) while ((await normalizer(bench).runOnce()) > 0);
  return passes;
}

const lastId = async () => (await staged(bench)).at(-1)?.id ?? 0;
const publishedSince = async (id: number) => (await staged(bench)).filter((row) => row.id > id).map((row) => row.body);

describe('A replay of what failed', () => {
  it('is previewed, and nothing is ordered by that', async () => {
    await happened('failed');
    await happened('failed', { type: 'charge.failed' });
    await happened('processed');
    const seen = await order({ status: 'failed' }, { dry_run: true });
    expect(seen).toMatchObject({
      ...{ dry_run: true, matched: 2, more: false, queued: 0, job: null, not_found: [] },
      by_status: [{ status: 'failed', count: 2 }],
      by_type: [
        { type: 'charge.failed', count: 1 },
        { type: 'payment_intent.succeeded', count: 1 },
      ],
    });
    expect(await bench.db.selectFrom('replay_jobs').selectAll().execute()).toEqual([]);
    expect(await preview(bench.db, {}, 2)).toMatchObject({ matched: 2, more: true });
  });

  it('publishes each once more, marked and with the first message named, and nothing else', async () => {
    const failed = [await happened('failed'), await happened('failed')];
    await happened('processed');
    const first = new Map((await staged(bench)).map(({ body }) => [body.data.stripe_event_id, body]));
    const before = await lastId();

    const { job, queued, matched } = await order({ status: 'failed' });
    expect([matched, queued]).toEqual([2, 2]);
    expect(await oldestUnpublishedSeconds(bench.db, new Date(Date.now() + 60_000))).toBe(0);
    await untilDone();

    const again = await publishedSince(before);
    expect(again.map((body) => body.data.stripe_event_id)).toEqual(failed);
    for (const body of again) {
      const origin = first.get(body.data.stripe_event_id)!;
      expect(body).toMatchObject({ replay_of: origin.id, occurred_at: origin.occurred_at, data: { ...origin.data, replay: true } });
      expect(body.id).not.toBe(origin.id);
      expect(body.aggregate).toEqual({ id: origin.aggregate.id, version: origin.aggregate.version + 1 });
    }
    expect(first.get(failed[0]!)).not.toHaveProperty('replay_of');
    expect(await show(job!)).toMatchObject({ status: 'completed', taken: 2, waiting: 0, by_status: [{ status: 'published', count: 2 }] });
    // A second replay names the first message, too.
    await order({ ids: [failed[0]!] });
    await untilDone();
    expect((await publishedSince(before)).at(-1)?.replay_of).toBe(first.get(failed[0]!)!.id);
  });

  it('shows the new outcome when the consumers have reported, and forgets the old failure', async () => {
    const id = await happened('failed');
    await order({ ids: [id] });
    await untilDone();
    const detail = async () => read<OperatorEventDetail>(await answerOperatorGet(bench.db, request({ params: { id } })));
    expect(await detail()).toMatchObject({ status: 'published', error: null, outcomes: [], attempts: 2 });
    const report = { stripe_event_id: id, consumer: 'payments-stripe-events', outcome: 'processed', reason: null } as const;
    await bench.db.transaction().execute((tx) => recordOutcomes(tx, [{ report, at: new Date() }]));
    const { status_code, ...shown } = await detail();
    expect([status_code, OperatorEventDetailSchema.parse(shown)]).toEqual([200, shown]);
    expect(shown).toMatchObject({
      status: 'processed',
      outcomes: [{ consumer: 'payments-stripe-events', outcome: 'processed' }],
      replay: expect.stringMatching(/^rpl_/),
    });
    expect(JSON.stringify(shown)).not.toContain('planted');
  });

  it('takes only what was there when it was ordered, once, and leaves alone what another replay has in hand', async () => {
    for (let i = 0; i < 3; i += 1) await happened('failed', {}, { id: `pi_${i}` });
    const before = await lastId();
    await order({ status: 'failed' });
    const second = await order({ status: 'failed' });
    await replay().runOnce({ epoch: 1 });
    const late = await happened('failed');
    await untilDone();
    const ids = (await publishedSince(before)).filter((body) => body.replay_of !== undefined).map((body) => body.data.stripe_event_id);
    expect([new Set(ids).size, ids.length]).toEqual([3, 3]);
    expect(ids).not.toContain(late);
    expect(await show(second.job!)).toMatchObject({ status: 'completed', matched: 3, taken: 0 });
  });
});

describe('A long replay', () => {
  const many = async (count: number) => {
    const created = Math.floor(Date.now() / 1000);
    await Promise.all(
      Array.from({ length: count }, (_, i) => deliver(app, stripeEvent({ created: created - (i % 7) }, { id: `pi_${i % 50}` }))),
    );
    while ((await normalizer(bench).runOnce()) > 0);
    await sql`UPDATE stripe_events SET processing_outcome = 'failed'`.execute(bench.db);
  };

  it('goes batch by batch behind what is published, is stopped and resumed, and is written down', async () => {
    await many(450);
    const before = await lastId();
    const { job } = await order({ status: 'failed' });
    const id = job!;
    expect(await replay().runOnce({ epoch: 1 })).toBe(200);
    // Nothing more is taken before these are published.
    expect(await replay().runOnce({ epoch: 1 })).toBe(0);
    expect(await show(id)).toMatchObject({ status: 'running', matched: 450, taken: 200, waiting: 200 });
    expect(await tell('Stop', id)).toMatchObject({ status_code: 200, status: 'stopped' });
    while ((await normalizer(bench).runOnce()) > 0);
    expect(await replay().runOnce({ epoch: 1 })).toBe(0);
    expect(await publishedSince(before)).toHaveLength(200);
    expect(await tell('Stop', id)).toMatchObject({ status_code: 200, status: 'stopped' });

    expect(await tell('Resume', id)).toMatchObject({ status: 'running' });
    expect(await untilDone()).toBe(3);
    const ids = (await publishedSince(before)).map((body) => body.data.stripe_event_id);
    expect([ids.length, new Set(ids).size]).toEqual([450, 450]);
    expect(await show(id)).toMatchObject({ status: 'completed', taken: 450, finished_at: expect.any(String) });
    expect(await tell('Resume', id)).toMatchObject({ status_code: 422, code: 'operations.illegal_state' });

    const { rows } = await sql`SELECT action, actor, reason FROM operator_actions WHERE target = ${id} ORDER BY id`.execute(bench.db);
    const by = { actor: 'key_1', reason: 'a look first' };
    expect(rows).toEqual([
      { actor: 'key_1', action: 'webhook_replay.order', reason: 'consumer fixed in 1.4.2' },
      { ...by, action: 'webhook_replay.stop' },
      { ...by, action: 'webhook_replay.resume' },
    ]);
    expect(
      logged
        .filter((line) => line.event === 'operator_action')
        .slice(-3)
        .map((line) => line.action),
    ).toEqual(['webhook_replay.order', 'webhook_replay.stop', 'webhook_replay.resume']);
  });

  it.each(['before_commit', 'after_commit'])('that fails %s of taking takes each event once all the same', async (moment) => {
    await many(250);
    const before = await lastId();
    await order({ status: 'failed' });
    const dying = replay(failpointsFrom(`webhooks.replay.take.${moment}:error:1`, FAILPOINTS, silent));
    await expect(dying.runOnce({ epoch: 1 })).rejects.toThrow('failpoint');
    while ((await normalizer(bench).runOnce()) > 0);
    await untilDone();
    const ids = (await publishedSince(before)).map((body) => body.data.stripe_event_id);
    expect([ids.length, new Set(ids).size]).toEqual([250, 250]);
  });

  it('is left to a later leader', async () => {
    await happened('failed');
    const { job } = await order({ status: 'failed' });
    await sql`UPDATE replay_jobs SET lease_epoch = 7 WHERE id = ${job}`.execute(bench.db);
    expect(await replay().runOnce({ epoch: 6 })).toBe(0);
    expect(await replay().runOnce({ epoch: 7 })).toBe(1);
  });
});

describe('An event that', () => {
  it('was never published is not a replay when it goes out at last', async () => {
    const event = stripeEvent();
    await deliver(app, event);
    await sql`UPDATE stripe_events SET processing_outcome = 'failed', attempts = 9, retry_at = now() + interval '1 hour'`.execute(bench.db);
    const before = await lastId();
    await order({ status: 'failed' });
    await untilDone();
    const [body, ...others] = await publishedSince(before);
    expect(others).toEqual([]);
    expect(body!.data.replay).toBe(false);
    expect(body).not.toHaveProperty('replay_of');
  });

  it('was a hint has its object retrieved once more', async () => {
    const thin = {
      id: 'evt_thin_replayed',
      object: 'v2.core.event',
      type: 'v1.payment_intent.succeeded',
      created: new Date().toISOString(),
    };
    await deliver(app, {
      ...thin,
      livemode: false,
      related_object: { id: 'pi_thin', type: 'payment_intent', url: '/v1/payment_intents/pi_thin' },
    });
    let amount = 100;
    const stripe = {
      retrieveObject: async () => ({ kind: 'ok', value: { object: 'payment_intent', id: 'pi_thin', amount, metadata: {} } }),
    } as unknown as Retriever;
    const hints = hinter(bench, stripe);
    await hints.runOnce();
    const before = await lastId();
    amount = 200;
    await order({ ids: ['evt_thin_replayed'] });
    expect(await replay().runOnce({ epoch: 1 })).toBe(1);
    expect(await normalizer(bench).runOnce()).toBe(0);
    expect(await hints.runOnce()).toBe(1);
    expect(await publishedSince(before)).toMatchObject([{ data: { replay: true, hint: true, object: { amount: 200 } } }]);
  });

  it('cannot be published holds no replay up, and is taken again by the next', async () => {
    const id = await happened('failed');
    await sql`UPDATE stripe_events SET payload = '\\x7b'`.execute(bench.db);
    const first = await order({ ids: [id] });
    await replay().runOnce({ epoch: 1 });
    await normalizer(bench).runOnce();
    await untilDone();
    expect(await show(first.job!)).toMatchObject({
      status: 'completed',
      taken: 1,
      waiting: 0,
      by_status: [{ status: 'failed', count: 1 }],
    });

    const payload = Buffer.from(JSON.stringify({ id, data: { object: { object: 'payment_intent', id: 'pi_mended' } } }));
    await sql`UPDATE stripe_events SET payload = ${payload}`.execute(bench.db);
    const before = await lastId();
    const second = await order({ status: 'failed' });
    await untilDone();
    expect(await publishedSince(before)).toMatchObject([{ data: { replay: true, object: { id: 'pi_mended' } } }]);
    expect(await show(second.job!)).toMatchObject({ status: 'completed', taken: 1, by_status: [{ status: 'published', count: 1 }] });
  });

  it('is not stored is named, and an order for nothing makes no job', async () => {
    const answer = await order({ ids: ['evt_nowhere'] });
    expect(answer).toMatchObject({ matched: 0, queued: 0, job: null, not_found: ['evt_nowhere'] });
  });
});

describe('A tenant', () => {
  const replayAs = async (tenant: string, filter: WebhookEventFilter) =>
    read<ReplayOrderView>(await rpc.answerReplay(parts(), request({ tenant, body: { filter, reason: 'ours' } })));

  it("has its own events replayed, and nobody else's, whatever it asks for", async () => {
    const theirs = await happened('failed', {}, { metadata: { tenant_id: 'other' } });
    const ours = await happened('failed', {}, { metadata: { tenant_id: 'default' } });
    expect(await replayAs('other', { ids: [ours] })).toMatchObject({ matched: 0, job: null, not_found: [ours] });
    expect(await replayAs('other', { tenant: 'default' })).toMatchObject({ matched: 0, job: null });
    const before = await lastId();
    const { job } = await replayAs('other', {});
    await untilDone();
    expect((await publishedSince(before)).map((body) => body.data.stripe_event_id)).toEqual([theirs]);
    const get = (tenant: string) => rpc.answerReplayGet(parts(), request({ tenant, params: { id: job! } }));
    expect([(await get('other')).status, (await get('default')).status]).toEqual([200, 404]);
  });

  it('orders once, however often it sends the request with its key', async () => {
    await happened('failed');
    const key = { idempotency_key: 'once' };
    const first = await order({ status: 'failed' }, {}, key);
    await untilDone();
    const second = await order({ status: 'failed' }, {}, key);
    expect([second.job, second.queued]).toEqual([first.job, 1]);
    expect(await bench.db.selectFrom('replay_jobs').select('id').execute()).toEqual([{ id: first.job }]);
  });

  it('is told that its key stands for another order, and nothing more is ordered', async () => {
    await happened('failed');
    const send = (body: object) => rpc.answerOperatorReplay(parts(), request({ body, idempotency_key: 'mine' }));
    const first = read<ReplayOrderView>(await send({ filter: { status: 'failed', type: 'payment_intent.succeeded' }, reason: 'fixed' }));
    expect(first).toMatchObject({ status_code: 200, queued: 1 });
    await untilDone();
    for (const filter of [{ status: 'published' }, { status: 'parked' }]) {
      const refused = read<{ code: string }>(await send({ filter, reason: 'fixed' }));
      expect(refused).toMatchObject({ status_code: 422, code: 'idempotency.mismatch' });
    }
    const again = { filter: { type: 'payment_intent.succeeded', status: 'failed' }, reason: 'fixed' };
    expect(read<ReplayOrderView>(await send(again))).toMatchObject({ status_code: 200, job: first.job });
    expect(await bench.db.selectFrom('replay_jobs').select('id').execute()).toEqual([{ id: first.job }]);
  });
});

describe('Replays that are under way', () => {
  const orderAs = async (tenant: string) =>
    read<ReplayOrderView>(await rpc.answerReplay(parts(), request({ tenant, body: { filter: {}, reason: 'ours' } }))).job!;

  it('go on in turn among tenants, however much one has ordered: neither another one nor an operator waits for all of it', async () => {
    const created = Math.floor(Date.now() / 1000);
    await Promise.all(
      Array.from({ length: 450 }, (_, i) =>
        deliver(app, stripeEvent({ created }, { id: `pi_busy${i % 50}`, metadata: { tenant_id: 'busy' } })),
      ),
    );
    const [, mine] = [await happened('failed', {}, { metadata: { tenant_id: 'other' } }), await happened('failed')];
    const jobs = [await orderAs('busy'), await orderAs('busy'), await orderAs('other'), (await order({ ids: [mine] })).job!];
    const loop = replay();
    for (const taken of [
      [200, 0, 0, 0],
      [200, 0, 1, 0],
      [200, 0, 1, 1],
      [400, 0, 1, 1],
    ]) {
      await loop.runOnce({ epoch: 1 });
      while ((await normalizer(bench).runOnce()) > 0);
      expect(await Promise.all(jobs.map(async (id) => (await show(id)).taken))).toEqual(taken);
    }
    await untilDone(loop);
    expect(await Promise.all(jobs.map(async (id) => (await show(id)).status))).toEqual(jobs.map(() => 'completed'));
  });

  it('do not wait for one that cannot be gone on with', async () => {
    await happened('failed', {}, { metadata: { tenant_id: 'broken' } });
    await happened('failed', {}, { metadata: { tenant_id: 'whole' } });
    const [broken, whole] = [await orderAs('broken'), await orderAs('whole')];
    await sql`UPDATE replay_jobs SET filter = '{"created_gte": "no time"}' WHERE id = ${broken}`.execute(bench.db);
    const loop = replay();
    await expect(loop.runOnce({ epoch: 1 })).rejects.toThrow();
    expect(await loop.runOnce({ epoch: 1 })).toBe(1);
    expect((await show(whole)).taken).toBe(1);
  });
});

describe('The lists of operators', () => {
  it('show events of all tenants with how they came, and replays, newest first', async () => {
    const ids = [await happened('failed', {}, { metadata: { tenant_id: 'other' } }), await happened('processed')];
    const events = read<{ data: { id: string; tenant: string; source: string }[] }>(await answerOperatorList(bench.db, request({})));
    expect(events.data.map((event) => event.id).sort()).toEqual(ids.sort());
    expect(events.data.map((event) => event.tenant).sort()).toEqual(['default', 'other']);
    expect(events.data[0]!.source).toBe('webhook');
    const jobs = [];
    for (let i = 0; i < 3; i += 1) jobs.push((await order({ ids: [ids[0]!] })).job);
    type Page = { data: ReplayView[]; has_more: boolean; next_cursor: string | null; code?: string };
    const page = async (query: Record<string, string>) => read<Page>(await rpc.answerReplayList(parts(), request({ query })));
    const first = await page({ limit: '2' });
    const rest = await page({ limit: '2', cursor: first.next_cursor! });
    expect([...first.data, ...rest.data].map((job) => job.id).sort()).toEqual(jobs.sort());
    expect([first.has_more, rest.has_more]).toEqual([true, false]);
    expect(await page({ cursor: 'x' })).toMatchObject({ status_code: 400, code: 'validation.failed' });
  });

  it('of replays fit into a message of the broker, page by page, however many events each of them names', async () => {
    const USUAL_MAX_PAYLOAD = 1024 * 1024;
    const stored = await happened('failed');
    const made = Array.from({ length: 99 }, (_, n) => `evt_${String(n).padStart(250, '0')}`);
    const jobs: string[] = [];
    for (let n = 0; n < 45; n += 1) jobs.push((await order({ ids: [stored, ...made] })).job!);
    const seen: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const reply = await rpc.answerReplayList(parts(), request({ query: { limit: '100', ...(cursor ? { cursor } : {}) } }));
      expect(Buffer.byteLength(JSON.stringify(reply))).toBeLessThan(USUAL_MAX_PAYLOAD);
      const { data, has_more, next_cursor } = read<{ data: ReplayView[]; has_more: boolean; next_cursor: string | null }>(reply);
      expect([data.length > 0, has_more]).toEqual([true, next_cursor !== null]);
      seen.push(...data.map(({ id }) => id));
      cursor = next_cursor;
    }
    expect(seen.toSorted()).toEqual(jobs.toSorted());
  });
});
