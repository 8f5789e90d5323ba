import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { Retention } from '../src/retention/retention.loop.js';
import { months, oldestSeconds } from '../src/retention/retention.store.js';
import type { ListQuery } from '../src/stripe-event/stripe-event.query.decide.js';
import { eventsPage } from '../src/stripe-event/stripe-event.view.js';
import { Partitions } from '../src/stripe-event/partitions.js';
import { recordOutcomes } from '../src/stripe-event/outcome.store.js';
import { deliver, listener, normalizer, openWorkbench, silent, storedIds, stripeEvent, type Workbench } from './workbench.js';

const DAY_MS = 86_400_000;
const NOW = new Date('2026-11-21T12:00:00Z');

let bench: Workbench;
let app: ReturnType<typeof listener>;

beforeAll(async () => {
  bench = await openWorkbench();
  app = listener(bench);
}, 60_000);
afterEach(async () => {
  await bench.db.deleteFrom('stripe_events').execute();
  await bench.db.deleteFrom('stripe_event_outcomes').execute();
  await bench.db.deleteFrom('nameless_events').execute();
  await retention(new Date('2100-01-01')).runOnce();
});
afterAll(async () => {
  await app.close();
  await bench.close();
});

let drops = 0;
const retention = (now: Date, keepDays = 90) =>
  new Retention({
    db: bench.db,
    clock: { now: () => now },
    logger: silent,
    keepSeconds: keepDays * 86_400,
    dropped: () => (drops += 1),
  });

/** An event of that day in a month of its own, published and processed. */
async function happened(day: string, object: Record<string, unknown> = {}): Promise<string> {
  const at = new Date(`${day}T12:00:00Z`);
  await new Partitions(bench.db, silent).ensureFor([at], at);
  const event = stripeEvent({ created: at.getTime() / 1000 }, object);
  await deliver(app, event);
  const id = event['id'] as string;
  while ((await normalizer(bench).runOnce()) > 0);
  const report = { stripe_event_id: id, consumer: 'payments-stripe-events', outcome: 'processed', reason: null } as const;
  await bench.db.transaction().execute((tx) => recordOutcomes(tx, [{ report, at }]));
  return id;
}

const outcomes = async () => (await bench.db.selectFrom('stripe_event_outcomes').select('stripe_event_id').execute()).length;

describe('What is older than the retention', () => {
  it('is dropped a month at a time, with its outcomes, and nothing younger', async () => {
    drops = 0;
    await happened('2026-06-03');
    await happened('2026-07-30');
    const kept = [await happened('2026-08-01'), await happened('2026-11-20')];
    // 90 days before are the 23rd of August: July is over, August not yet.
    expect(await retention(NOW).runOnce()).toBe(2);
    expect([drops, await outcomes()]).toEqual([2, 2]);
    expect(await storedIds(bench)).toEqual(kept.toSorted());
    expect((await months(bench.db)).map((month) => month.name)).toEqual(['2026-08', '2026-11']);
    expect(await retention(NOW).runOnce()).toBe(0);
    expect(await oldestSeconds(bench.db, NOW)).toBe((NOW.getTime() - Date.parse('2026-08-01T12:00:00Z')) / 1000);
  });

  it('is noted no longer, and what is kept is', async () => {
    const days = ['2026-06-03', '2026-08-01'];
    for (const day of days) await happened(day, { object: 'dispute', id: `du_${day}` });
    expect(await retention(NOW).runOnce()).toBe(2);
    const noted = await bench.db.selectFrom('nameless_events').select('aggregate').execute();
    expect(noted).toEqual([{ aggregate: 'du_2026-08-01' }]);
  });

  it('stays while one of its events was never published', async () => {
    await happened('2026-06-03');
    await deliver(app, stripeEvent({ created: Date.parse('2026-06-04T00:00:00Z') / 1000 }));
    expect(await retention(NOW).runOnce()).toBe(0);
    expect((await months(bench.db)).map((month) => month.name)).toEqual(['2026-06']);
    while ((await normalizer(bench).runOnce()) > 0);
    expect(await retention(NOW).runOnce()).toBe(1);
    expect(await storedIds(bench)).toEqual([]);
  });

  it('is deleted where it has no month of its own', async () => {
    const stray = async (at: Date) => {
      const event = stripeEvent({ created: Math.floor(at.getTime() / 1000) });
      await deliver(app, event);
      return event['id'] as string;
    };
    await stray(new Date(NOW.getTime() - 91 * DAY_MS));
    const young = await stray(new Date(NOW.getTime() - 89 * DAY_MS));
    expect(await retention(NOW).runOnce()).toBe(0);
    while ((await normalizer(bench).runOnce()) > 0);
    expect(await retention(NOW).runOnce()).toBe(1);
    expect(await storedIds(bench)).toEqual([young]);
  });

  it('is dropped later when a query reads it, and deliveries do not wait for that query', async () => {
    await happened('2026-06-03');
    const reader = bench.db.transaction().execute(async (tx) => {
      await tx.selectFrom('stripe_events').select('stripe_event_id').execute();
      expect(await retention(NOW).runOnce()).toBe(0);
      await sql`SELECT 1`.execute(tx);
    });
    await reader;
    expect(await retention(NOW).runOnce()).toBe(1);
  });
});

describe('What operators ask of ten million events', () => {
  const plan = (query: Partial<ListQuery>, { sorts = false } = {}) =>
    bench.db.transaction().execute(async (tx) => {
      await sql`SET LOCAL enable_seqscan = off`.execute(tx);
      if (!sorts) await sql`SET LOCAL enable_sort = off`.execute(tx);
      await sql`SET LOCAL enable_bitmapscan = off`.execute(tx);
      const rows = await eventsPage(tx, { limit: 20, ...query }).explain<{ 'QUERY PLAN': string }>('text');
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    });

  it.each([
    ['what failed', { status: 'failed' as const }, 'processing_outcome = '],
    ["a tenant's", { tenant: 'acme' }, 'COALESCE(tenant_hint, '],
    ["a type's", { type: 'charge.dispute.created' }, 'event_type = '],
    ['all of a time', { created_gte: new Date('2026-11-01'), created_lt: new Date('2026-11-02') }, 'created >= '],
  ])('%s, newest first, is read in the order of an index', async (_, query, condition) => {
    const text = await plan(query);
    expect(text).not.toMatch(/-> +Sort|Seq Scan|Filter:/);
    expect(text).toContain(`Index Cond: (${condition.startsWith('created') ? '(' : ''}${condition}`);
  });

  it('one event by its id, and what waits to be published, are found by an index', async () => {
    expect(await plan({ ids: ['evt_1'] }, { sorts: true })).toContain('Index Cond: (stripe_event_id = ');
    expect(await plan({ status: 'received' })).not.toContain('Seq Scan');
  });
});
