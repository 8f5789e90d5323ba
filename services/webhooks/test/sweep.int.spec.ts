import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { noFailpoints } from '@tidegate/database/failpoints';
import { SweepStatusView, type SweepView } from '@tidegate/contracts/ops/webhook-sweeps';
import { createStripeAdapter } from '@tidegate/stripe-gateway/adapter';
import { createMetrics } from '@tidegate/telemetry/metrics';
import { sql } from 'kysely';
import { eventually } from '@tidegate/test-harness/eventually';
import { simulatorForTests } from '@tidegate/test-harness/simulator';
import { Partitions } from '../src/stripe-event/partitions.js';
import { OrderedSweep } from '../src/sweep/ordered-sweep.loop.js';
import { type Found, SweepIncomplete } from '../src/sweep/read-window.js';
import { Sweep } from '../src/sweep/sweep.loop.js';
import { answerSweepGet, answerSweepOrder, answerSweepStatus } from '../src/sweep/sweep.rpc.js';
import { sweepMetrics } from '../src/sweep/sweep.metrics.js';
import { readCursor } from '../src/sweep/sweep.store.js';
import { LISTED_SECONDS } from '../src/sweep/window.decide.js';
import { deliver, hinter, isOurHint, listener, openWorkbench, silent, staged, storedIds, type Workbench } from './workbench.js';

let bench: Workbench;
let simulator: Awaited<ReturnType<typeof simulatorForTests>>;
let stripe: ReturnType<typeof createStripeAdapter>;
let now: Date;
const found: number[] = [];
const missed: number[] = [];
let unanswered = 0;

beforeAll(async () => {
  now = new Date();
  bench = await openWorkbench();
  simulator = await simulatorForTests();
  stripe = createStripeAdapter({ secretKey: ['sk', 'test', 'simulator0000'].join('_'), apiBase: simulator.url, deadlineMs: 2000 });
}, 60_000);
afterAll(async () => {
  stripe.close();
  await simulator.close();
  await bench.close();
});

const logged: { event: string }[] = [];
const logger = {
  ...silent,
  error: (fields: { event: string }) => logged.push(fields),
  warn: () => undefined,
  info: () => undefined,
} as never;
const settings = { everySeconds: 300, overlapSeconds: 600, settleSeconds: 0, alarmSeconds: 259_200 };
/** Stripe as it answers until it falls silent, one event on each page. */
const silentAfter = (pages: number): Pick<typeof stripe, 'listEvents'> => {
  let asked = 0;
  return {
    listEvents: async (query) => {
      asked += 1;
      return asked > pages ? { kind: 'refused', retryAfterMs: 1000 } : stripe.listEvents({ ...query, limit: 1 });
    },
  };
};
const parts = () => ({
  db: bench.db,
  failpoints: noFailpoints,
  clock: { now: () => now },
  logger,
  stripe,
  partitions: new Partitions(bench.db, bench.logger),
  settings,
  isHint: isOurHint,
  found: (one: Found) => {
    found.push(one.events);
    missed.push(one.missed);
  },
  unanswered: () => (unanswered += 1),
});
const sweeper = () => new Sweep(parts());

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

const hints = () => hinter(bench, stripe, { now: () => now });

/** On the clock of the simulator and ours. */
function fiveMinutesLater(): void {
  simulator.advanceClock(301);
  now = new Date(now.getTime() + 301_000);
}

async function pay(key: string): Promise<string> {
  const created = await stripe.createIntent(
    {
      amount: 4200,
      currency: 'usd',
      captureMethod: 'automatic',
      allowRedirects: 'never',
      metadata: { payment_id: key, tenant_id: 'other' },
    },
    `${key}:create`,
  );
  if (created.kind !== 'ok') throw new Error(`create: ${created.kind}`);
  const confirmed = await stripe.confirmIntent(created.value.id, { paymentMethod: 'pm_card_visa' }, `${key}:confirm`);
  if (confirmed.kind !== 'ok') throw new Error(`confirm: ${confirmed.kind}`);
  // The balance transaction comes a little later, with an event of its own; what is counted below must stand still.
  simulator.advanceClock(60);
  now = new Date(now.getTime() + 60_000);
  await eventually(async () => expect(await listedTypes(created.value.id)).toContain('charge.updated'));
  return created.value.id;
}

async function listedTypes(intent: string): Promise<string[]> {
  const page = await stripe.listEvents({ limit: 100 });
  if (page.kind !== 'ok') throw new Error(page.kind);
  return page.value.data.filter((event) => event.data.object['payment_intent'] === intent).map((event) => event.type);
}

/** An event of a type that Tidegate does not handle. */
async function makeProduct(): Promise<void> {
  const key = ['sk', 'test', 'simulator0000'].join('_');
  const init = { method: 'POST', headers: { authorization: `Bearer ${key}` }, body: new URLSearchParams({ name: 'A plan' }) };
  expect((await fetch(`${simulator.url}/v1/products`, init)).status).toBe(200);
}

async function listedIds(): Promise<string[]> {
  const page = await stripe.listEvents({ limit: 100 });
  if (page.kind !== 'ok') throw new Error(page.kind);
  return page.value.data.map((event) => event.id).sort();
}

describe('The sweep', () => {
  it('begins where the service was installed and is not due again at once', async () => {
    expect(await sweeper().runOnce({ epoch: 1 })).toBe(0);
    await pay('pay_sweep1');
    expect(await sweeper().runOnce({ epoch: 1 })).toBe(0);
    expect(await storedIds(bench)).toEqual([]);
  });

  it('finds what was never delivered, and only that', async () => {
    const page = await stripe.listEvents({ limit: 100 });
    if (page.kind !== 'ok') throw new Error(page.kind);
    const app = listener(bench);
    const [delivered] = page.value.data;
    await deliver(app, { pending_webhooks: 1, ...delivered });
    await app.close();

    fiveMinutesLater();
    const swept = await sweeper().runOnce({ epoch: 1 });
    expect(swept).toBe(page.value.data.length - 1);
    expect([found.at(-1), missed.at(-1)]).toEqual([swept, swept]);
    expect(await storedIds(bench)).toEqual(await listedIds());
  });

  it('reads the same events again in its overlap without finding them again', async () => {
    fiveMinutesLater();
    expect(await sweeper().runOnce({ epoch: 1 })).toBe(0);
  });

  it('keeps what no endpoint of ours asks for, and does not count it as missed', async () => {
    await makeProduct();
    fiveMinutesLater();
    expect(await sweeper().runOnce({ epoch: 1 })).toBe(1);
    expect([found.at(-1), missed.at(-1)]).toEqual([1, 0]);
    expect(await storedIds(bench)).toEqual(await listedIds());
  });

  it('yields to a later leader', async () => {
    fiveMinutesLater();
    await sweeper().runOnce({ epoch: 7 });
    const { updated_at } = await bench.db.selectFrom('sweep_cursors').select('updated_at').executeTakeFirstOrThrow();
    fiveMinutesLater();
    await sweeper().runOnce({ epoch: 3 });
    expect((await bench.db.selectFrom('sweep_cursors').select('updated_at').executeTakeFirstOrThrow()).updated_at).toEqual(updated_at);
  });

  it('does not move on when Stripe cannot be read, and catches up later', async () => {
    const id = await pay('pay_sweep2');
    fiveMinutesLater();
    const fault = simulator.addFault({ fault: 'error_500_before', route: 'GET /v1/events' } as never);
    await expect(sweeper().runOnce({ epoch: 8 })).rejects.toBeInstanceOf(SweepIncomplete);
    expect(unanswered).toBe(1);
    simulator.clearFaults();
    expect(fault).toBeDefined();
    expect(await sweeper().runOnce({ epoch: 8 })).toBeGreaterThan(0);
    expect(await storedIds(bench)).toEqual(await listedIds());
    expect(id).toMatch(/^pi_/);
  });

  it('counts what it had found before Stripe fell silent', async () => {
    await pay('pay_sweep3');
    fiveMinutesLater();
    const [counted, before] = [sum(found), (await storedIds(bench)).length];
    const interrupted = new Sweep({ ...parts(), stripe: silentAfter(2) });
    await expect(interrupted.runOnce({ epoch: 8 })).rejects.toBeInstanceOf(SweepIncomplete);
    expect((await storedIds(bench)).length).toBe(before + 2);
    expect(sum(found)).toBe(counted + 2);
    const rest = await sweeper().runOnce({ epoch: 8 });
    expect(rest).toBeGreaterThan(0);
    expect(sum(found)).toBe(counted + 2 + rest);
  });

  it('reads all that Stripe lists once more when it was told of a time that has not come, by a clock that was wrong', async () => {
    const tomorrow = new Date(now.getTime() + 86_400_000);
    await sql`UPDATE sweep_cursors SET swept_until = ${tomorrow}, updated_at = ${tomorrow}`.execute(bench.db);
    await pay('pay_sweep4');
    fiveMinutesLater();
    expect(await new Sweep({ ...parts(), stripe: silentAfter(0) }).runOnce({ epoch: 3 })).toBe(0);
    await expect(new Sweep({ ...parts(), stripe: silentAfter(0) }).runOnce({ epoch: 8 })).rejects.toBeInstanceOf(SweepIncomplete);
    expect((await readCursor(bench.db, now)).sweptUntil.getTime() / 1000).toBeCloseTo(now.getTime() / 1000 - LISTED_SECONDS, -1);
    // Most of the thirty days are empty here.
    await sql`UPDATE sweep_cursors SET swept_until = ${new Date(now.getTime() - 7_200_000)}`.execute(bench.db);
    expect(await sweeper().runOnce({ epoch: 8 })).toBeGreaterThan(0);
    expect(await storedIds(bench)).toEqual(await listedIds());
    expect((await readCursor(bench.db, now)).sweptUntil).toEqual(now);
    expect(logged.filter(({ event }) => event === 'webhook_sweep_ahead')).toHaveLength(1);
    fiveMinutesLater();
    expect(await sweeper().runOnce({ epoch: 8 })).toBe(0);
    logged.length = 0;
  });

  it('says with every page that it is at work', async () => {
    fiveMinutesLater();
    let alive = 0;
    await sweeper().runOnce({ epoch: 8, alive: () => (alive += 1) });
    expect(alive).toBeGreaterThan(0);
  });

  it('leaves hints that are published with what Stripe shows now', async () => {
    while ((await hints().runOnce()) > 0);

    const messages = await staged(bench);
    const created = messages.filter((one) => one.subject === 'stripe.events.payment_intent.created.v1');
    expect(created.length).toBeGreaterThan(0);
    for (const { body, aggregate } of created) {
      expect(body).toMatchObject({
        tenant: 'other',
        data: { hint: true, object: { status: 'succeeded', amount_captured: 4200, card: { brand: 'visa', last4: '4242' } } },
      });
      expect(aggregate).toBe(body.data.object.id);
    }
    expect(JSON.stringify(messages)).not.toContain('_secret_');
  });

  it('finds a dispute whose deliveries were lost, and what was taken for it', async () => {
    const id = await pay('pay_sweep3');
    const order = { payment_intent: id, amount: 1000 };
    const disputed = await fetch(`${simulator.url}/__dashboard/dispute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(order),
    });
    expect(disputed.status).toBe(200);
    fiveMinutesLater();
    await sweeper().runOnce({ epoch: 8 });
    while ((await hints().runOnce()) > 0);

    const about = (await staged(bench)).filter((one) => one.aggregate === id && one.subject.startsWith('stripe.events.charge.dispute.'));
    expect(about.map(({ subject }) => subject).sort()).toEqual([
      'stripe.events.charge.dispute.created.v1',
      'stripe.events.charge.dispute.funds_withdrawn.v1',
    ]);
    for (const { body } of about)
      expect(body.data).toMatchObject({
        hint: true,
        object: {
          object: 'dispute',
          status: 'needs_response',
          amount: 1000,
          dispute: { reason: 'fraudulent', movements: 1, currency: 'usd', withdrawn: 1000, reinstated: 0, fee: 1500 },
        },
      });
  });
});

describe('A sweep that an operator orders', () => {
  const rpc = { logger, settings: { ...settings, settleSeconds: 10 }, ordered: () => undefined };
  const ask = async (answer: typeof answerSweepOrder, change: object) => {
    const request = {
      ...{ tenant: 'default', actor: 'key_1', request_id: 'req_1', correlation_id: 'cor_1', route: '', params: {}, query: {} },
      ...{ idempotency_key: null, respond_async: false, livemode: false, body: null },
      ...change,
    };
    const reply = await answer({ ...rpc, db: bench.db, clock: { now: () => now } }, request);
    return { http: reply.status, ...(JSON.parse(reply.body) as SweepView) };
  };

  it('reads from further back than the regular one looks, an hour in each pass, and survives an absence of Stripe', async () => {
    await pay('pay_ordered1');
    for (let hours = 0; hours < 3; hours += 1) {
      simulator.advanceClock(3600);
      now = new Date(now.getTime() + 3_600_000);
    }
    await sweeper().runOnce({ epoch: 8 });
    const before = await storedIds(bench);
    await bench.db.deleteFrom('stripe_events').execute();
    fiveMinutesLater();
    expect(await sweeper().runOnce({ epoch: 8 })).toBe(0);

    const since = new Date(now.getTime() - 6 * 3_600_000).toISOString();
    const order = await ask(answerSweepOrder, { body: { since, reason: 'rows were lost' } });
    expect(order).toMatchObject({ http: 200, status: 'running', since, found: 0, actor: 'key_1', reason: 'rows were lost' });
    simulator.addFault({ fault: 'error_500_before', route: 'GET /v1/events' } as never);
    const ordered = new OrderedSweep(parts());
    await expect(ordered.runOnce({ epoch: 8 })).rejects.toBeInstanceOf(SweepIncomplete);
    simulator.clearFaults();
    let passes = 0;
    while ((await ordered.runOnce({ epoch: 8 })) > 0) passes += 1;
    expect(passes).toBeGreaterThan(5);
    expect(await storedIds(bench)).toEqual(before);
    const done = await ask(answerSweepGet, { params: { id: order.id } });
    expect(done).toMatchObject({ http: 200, status: 'completed', found: before.length });
    expect((await ask(answerSweepGet, { params: { id: 'swp_nowhere00' } })).http).toBe(404);
    expect((await ask(answerSweepOrder, { body: { since: 'yesterday', reason: 'x' } })).http).toBe(400);
    const { rows } = await sql`SELECT action, target, reason FROM operator_actions`.execute(bench.db);
    expect(rows).toEqual([{ action: 'webhook_sweep.order', target: order.id, reason: 'rows were lost' }]);
  });

  it('tells of all that it found, also before Stripe fell silent', async () => {
    await pay('pay_ordered2');
    await makeProduct();
    fiveMinutesLater();
    const { id } = await ask(answerSweepOrder, { body: { reason: 'interrupted' } });
    const [before, counted] = [(await storedIds(bench)).length, sum(found)];
    const interrupted = new OrderedSweep({ ...parts(), stripe: silentAfter(2) });
    await expect(interrupted.runOnce({ epoch: 8 })).rejects.toBeInstanceOf(SweepIncomplete);
    while ((await new OrderedSweep(parts()).runOnce({ epoch: 8 })) > 0);
    const stored = (await storedIds(bench)).length - before;
    expect(stored).toBeGreaterThan(2);
    expect(await ask(answerSweepGet, { params: { id } })).toMatchObject({ status: 'completed', found: stored, missed: stored - 1 });
    expect(sum(found) - counted).toBe(stored);
  });

  it('leaves to their delivery events that are too young to have been missed', async () => {
    fiveMinutesLater();
    await sweeper().runOnce({ epoch: 8 });
    const order = { amount: 4200, currency: 'usd', captureMethod: 'automatic', allowRedirects: 'never', metadata: {} } as const;
    expect((await stripe.createIntent(order, 'pay_ordered3:create')).kind).toBe('ok');
    const newest = await stripe.listEvents({ limit: 1 });
    if (newest.kind !== 'ok') throw new Error(newest.kind);
    const { id, created } = newest.value.data[0]!;
    const orderedAfter = async (seconds: number) => {
      now = new Date((created + seconds) * 1000);
      const { id: swept } = await ask(answerSweepOrder, { body: { reason: `${seconds} s later` } });
      while ((await new OrderedSweep(parts()).runOnce({ epoch: 8 })) > 0);
      return ask(answerSweepGet, { params: { id: swept } });
    };
    expect(await orderedAfter(9)).toMatchObject({ status: 'completed', found: 0, missed: 0 });
    expect(await storedIds(bench)).not.toContain(id);
    expect(await orderedAfter(10)).toMatchObject({ status: 'completed', found: 1, missed: 1 });
    expect(await storedIds(bench)).toContain(id);
  });

  it('is left to a later leader', async () => {
    const { id } = await ask(answerSweepOrder, { body: { reason: 'again' } });
    await sql`UPDATE sweep_orders SET lease_epoch = 9 WHERE id = ${id}`.execute(bench.db);
    expect(await new OrderedSweep(parts()).runOnce({ epoch: 8 })).toBe(0);
    expect(await new OrderedSweep(parts()).runOnce({ epoch: 9 })).toBe(1);
  });
});

describe("When Stripe's list is not read for long", () => {
  const gauges = async () => {
    const metrics = createMetrics('webhooks');
    sweepMetrics(metrics, { db: bench.db, clock: { now: () => now }, alarmSeconds: settings.alarmSeconds });
    const text = await metrics.registry.metrics();
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    return { behind: value('stripe_sweep_behind_seconds'), runway: value('stripe_sweep_runway_seconds'), overdue: value('stripe_sweep_overdue'), unlisted: value('stripe_events_unlisted_seconds') }; // prettier-ignore
  };
  const daysLater = (days: number) => (now = new Date(now.getTime() + days * 86_400_000));

  it('is an alarm after three of the thirty days, long before anything is lost', async () => {
    await sweeper().runOnce({ epoch: 9 });
    expect(await gauges()).toMatchObject({ overdue: 0, unlisted: 0 });
    daysLater(3.1);
    expect(await gauges()).toEqual({ behind: expect.closeTo(267_840, -3), runway: expect.closeTo(2_320_560, -3), overdue: 1, unlisted: 0 });
    simulator.addFault({ fault: 'error_500_before', route: 'GET /v1/events', times: 0 } as never);
    const away = sweeper();
    for (let pass = 0; pass < 3; pass += 1) await expect(away.runOnce({ epoch: 9 })).rejects.toBeInstanceOf(SweepIncomplete);
    simulator.clearFaults();
    expect(logged.filter(({ event }) => event === 'webhook_sweep_overdue')).toHaveLength(1);
    await sweeper().runOnce({ epoch: 9 });
    expect(await gauges()).toMatchObject({ behind: 0, overdue: 0, unlisted: 0 });
  });

  it('and is told what was lost for good when the thirty days have run out, once', async () => {
    daysLater(32);
    const { sweptUntil } = await readCursor(bench.db, now);
    await sweeper().runOnce({ epoch: 9 });
    const lost = (await gauges()).unlisted;
    // 32 days less what Stripe lists and the margin of an hour.
    expect(lost).toBeCloseTo(32 * 86_400 - (30 * 86_400 - 3600), -2);
    expect(logged.filter(({ event }) => event === 'webhook_events_unlisted')).toEqual([
      { event: 'webhook_events_unlisted', from: sweptUntil, until: new Date(sweptUntil.getTime() + lost * 1000) },
    ]);
    fiveMinutesLater();
    await sweeper().runOnce({ epoch: 9 });
    expect((await gauges()).unlisted).toBe(lost);
    const reply = await answerSweepStatus({ db: bench.db, clock: { now: () => now }, logger, settings, ordered: () => undefined });
    expect(SweepStatusView.parse(JSON.parse(reply.body))).toMatchObject({ overdue: false, unlisted_seconds: lost, every_seconds: 300 });
  });
});
