import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type MissingCounterView, type StaleCounterView, type UsageCheckView } from '@tidegate/contracts/usage';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { type UsageComparison } from '@tidegate/contracts/rpc/usage-comparison';
import { sql } from 'kysely';
import { hourOf } from '../src/usage/usage-event.decide.js';
import { countParked, insertUsage } from '../src/usage/usage-event.store.js';
import { rebuildUsageCounters } from '../src/usage/usage.rebuild.js';
import { type UsageWorld, usageWorld } from './usage-world.js';

jest.setTimeout(60_000);

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let world: UsageWorld;
beforeAll(async () => {
  world = await usageWorld();
});
afterAll(() => world?.close());

const ago = (ms: number) => new Date(world.clock.now().getTime() - ms).toISOString();

describe('Limits of usage', () => {
  const set = (body: object, tenant = 'default') => world.send(RPC.usageLimitSet, { tenant, body });
  const check = async (query: Record<string, string>) => world.json<UsageCheckView>(await world.send(RPC.usageCheck, { query }));

  it('allow what fits in every one that applies and deny the rest, exactly', async () => {
    const [customer, other, meter] = [await world.customer(), await world.customer(), await world.meter()];
    expect(await check({ customer, meter })).toMatchObject({ decision: 'allow', limits: [] });
    await set({ meter, period: 'month', limit: '1' });
    await set({ meter, period: 'day', limit: '0.3', customer });
    await world.record([0.1, 0.1].map((value) => ({ customer, meter, value })));
    expect(await check({ customer, meter, value: '0.1' })).toMatchObject({
      decision: 'allow',
      limits: [
        { period: 'day', limit: '0.3', used: '0.2', remaining: '0.1' },
        { period: 'month', limit: '1', used: '0.2', remaining: '0.8' },
      ],
    });
    expect((await check({ customer, meter, value: '0.100000000001' })).decision).toBe('deny');
    expect(await check({ customer: other, meter, value: '1' })).toMatchObject({ decision: 'allow', limits: [{ period: 'month' }] });
    expect((await check({ customer: other, meter, value: '1.1' })).decision).toBe('deny');
    // His own limit for a period takes the place of everybody's.
    await set({ meter, period: 'month', limit: '0', customer: other });
    expect((await check({ customer: other, meter })).decision).toBe('deny');
    await set({ meter, period: 'month', limit: 'none', customer: other });
    expect((await check({ customer: other, meter })).decision).toBe('allow');
    const listed = world.json<{ data: object[] }>(await world.send(RPC.usageLimitList, {}));
    expect(listed.data).toEqual([
      { object: 'usage_limit', meter, customer: null, period: 'month', limit: '1' },
      { object: 'usage_limit', meter, customer, period: 'day', limit: '0.3' },
    ]);
    expect(world.json<{ data: object[] }>(await world.send(RPC.usageLimitList, { tenant: 'other' })).data).toEqual([]);
    for (const text of ['\u0000', '\ud800']) {
      const cursor = Buffer.from(JSON.stringify([text, '', ''])).toString('base64url');
      const refused = await world.send(RPC.usageLimitList, { query: { cursor } });
      expect([refused.status, world.json<{ code: string }>(refused).code]).toEqual([400, 'validation.failed']);
    }
  });

  it('begin anew with each period', async () => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    await set({ meter, period: 'hour', limit: '5' });
    await world.record([{ customer, meter, value: 5 }]);
    const before = await check({ customer, meter });
    expect(before.decision).toBe('deny');
    world.advance(Date.parse(before.limits[0]?.resets_at ?? '') - world.clock.now().getTime() + 1);
    expect(await check({ customer, meter })).toMatchObject({ decision: 'allow', limits: [{ used: '0', remaining: '5' }] });
  });

  it('are of the tenant’s own customers only', async () => {
    const [theirs, meter] = [await world.customer('other'), await world.meter()];
    expect((await set({ meter, period: 'day', limit: '1', customer: theirs })).status).toBe(404);
    expect((await set({ meter, period: 'day', limit: '1', customer: 'cus_Nobody123' })).status).toBe(404);
  });
});

describe('The comparison with Stripe’s summaries', () => {
  /** All pages. */
  async function compare(): Promise<UsageComparison> {
    const body = { from: ago(3 * DAY_MS), to: ago(-DAY_MS) };
    const all: UsageComparison = { object: 'usage_comparison', compared: 0, agreeing: 0, pending: 0, differences: [], next_cursor: null };
    for (let cursor: string | null = null; ;) {
      const reply = await world.send(RPC.usageCompare, { body: { ...body, cursor } });
      expect(reply.status).toBe(200);
      const page = world.json<UsageComparison>(reply);
      all.compared += page.compared;
      all.agreeing += page.agreeing;
      all.pending += page.pending;
      all.differences.push(...page.differences);
      cursor = page.next_cursor;
      if (cursor === null) return all;
    }
  }
  const repair = (body: object) => world.send(RPC.usageRepair, { body: { reason: 'a drill', ...body } });

  it('finds nothing where there is nothing, calls a backlog no mismatch, and confirms what agrees', async () => {
    const [count, last, sum] = [await world.meter('count'), await world.meter('last'), await world.meter()];
    await world.db.deleteFrom('usage_counters' as never).execute();
    const customers = await Promise.all(Array.from({ length: 3 }, () => world.customer()));
    for (let hour = 0; hour < 30; hour += 1)
      await world.record(
        customers.flatMap((customer) => [
          { customer, meter: sum, value: `${hour}.3`, at: ago(hour * HOUR_MS) },
          ...(hour < 3 ? [{ customer, meter: hour % 2 ? count : last, value: hour, at: ago(hour * HOUR_MS) }] : []),
        ]),
      );
    const before = await compare();
    expect(before).toMatchObject({ compared: 99, pending: before.compared - before.agreeing, differences: [] });
    await world.reported();
    expect(await compare()).toMatchObject({ compared: 99, agreeing: 99, pending: 0, differences: [] });
    expect(await world.metric('usage_counters_stale')).toEqual([0]);
    // The index of what is not confirmed holds no more than that.
    const unconfirmed = async () => (await sql`SELECT FROM usage_counters WHERE unconfirmed`.execute(world.db)).rows.length;
    expect(await unconfirmed()).toBe(0);
    await world.record([{ customer: customers[0] ?? '', meter: sum, at: ago(HOUR_MS) }]);
    expect(await unconfirmed()).toBe(1);
  });

  it('finds exactly what somebody took back at Stripe; a repair reports it again, and the next run is clean', async () => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    await world.record([
      { customer, meter, value: '12.5', at: ago(5 * HOUR_MS) },
      { customer, meter, value: 1, at: ago(6 * HOUR_MS) },
    ]);
    await world.reported();
    world.advance(2 * HOUR_MS);
    const [planted] = world.taken(meter, customer).filter(({ value }) => value === 12.5);
    await world.stripe('billing/meter_event_adjustments', {
      event_name: meter,
      type: 'cancel',
      'cancel[identifier]': planted?.identifier ?? '',
    });
    const { differences } = await compare();
    expect(differences).toEqual([
      expect.objectContaining({ customer, meter, local: '12.5', sent: '12.5', remote: '0', reason: 'stripe_differs', repairable: true }),
    ]);
    const { hour } = differences[0] ?? {};
    expect(world.json(await repair({ customer, meter, hour }))).toMatchObject({ local: '12.5', remote: '0', difference: '12.5' });
    await world.reported();
    expect(await compare()).toMatchObject({ pending: 0, differences: [] });
    // The summary need not show the last report yet.
    expect((await repair({ customer, meter, hour, reason: 'another drill' })).status).toBe(422);
    world.advance(2 * HOUR_MS);
    expect(world.json(await repair({ customer, meter, hour }))).toMatchObject({ difference: '0' });
    await world.reported();
    expect(await compare()).toMatchObject({ pending: 0, differences: [] });
  });

  it('takes back what somebody else reported, when a person wants that', async () => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    const at = ago(3 * HOUR_MS);
    await world.record([{ customer, meter, value: 4, at }]);
    await world.reported();
    world.advance(2 * HOUR_MS);
    await world.stripe('billing/meter_events', {
      event_name: meter,
      timestamp: String(Math.floor(Date.parse(at) / 1000)),
      'payload[stripe_customer_id]': customer,
      'payload[value]': '100',
    });
    const { differences } = await compare();
    expect(differences).toMatchObject([{ customer, local: '4', remote: '104' }]);
    expect((await repair({ customer, meter, hour: differences[0]?.hour })).status).toBe(200);
    await world.reported();
    expect(await compare()).toMatchObject({ differences: [], pending: 0 });
    expect(await world.differences()).toEqual([]);
  });

  /** A replica that stands still after it has read a summary, until it is told to go on. */
  function stopsAfterSummary() {
    const [read, goOn] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    world.start({
      hit: async (name) => {
        if (name !== 'payments.usage.summary.after_call') return;
        read.resolve(undefined);
        await goOn.promise;
      },
    });
    return { replica: world.replicas.length - 1, read: read.promise, goOn: () => goOn.resolve(undefined) };
  }

  it('believes no summary that is older than a report: what was delivered meanwhile is not reported again', async () => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    const at = ago(3 * HOUR_MS);
    await world.record([{ customer, meter, value: 5, at }]);
    await world.reported();
    world.advance(2 * HOUR_MS);
    const slow = stopsAfterSummary();
    const hour = new Date(Math.floor(Date.parse(at) / HOUR_MS) * HOUR_MS).toISOString();
    const repaired = world.send(RPC.usageRepair, { body: { reason: 'a drill', customer, meter, hour } }, slow.replica);
    await slow.read;
    await world.record([{ customer, meter, value: 2, at }]);
    world.advance(11_000);
    await world.replicas[0]?.parts.reportUsageOnce();
    slow.goOn();
    expect((await repaired).status).toBe(422);
    world.replicas.pop();
    await world.reported();
    expect(await world.differences()).toEqual([]);
  });

  it('calls no mismatch what was reported while the summaries were read', async () => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    const at = ago(3 * HOUR_MS);
    await world.record([{ customer, meter, value: 5, at }]);
    await world.reported();
    world.advance(2 * HOUR_MS);
    const begun = Promise.withResolvers<undefined>();
    const goOn = Promise.withResolvers<undefined>();
    world.start({
      hit: async (name) => {
        if (name !== 'payments.usage.summary.before_call') return;
        begun.resolve(undefined);
        await goOn.promise;
      },
    });
    const compared = world.send(RPC.usageCompare, { body: { from: ago(DAY_MS), to: ago(-DAY_MS) } }, world.replicas.length - 1);
    await begun.promise;
    await world.record([{ customer, meter, value: 2, at }]);
    world.advance(11_000);
    await world.replicas[0]?.parts.reportUsageOnce();
    goOn.resolve(undefined);
    const { differences } = world.json<UsageComparison>(await compared);
    world.replicas.pop();
    expect(differences.filter((one) => one.customer === customer)).toEqual([]);
  });

  it('comes in pages that fit in a message even where everything differs', async () => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    await world.record([{ customer, meter, value: 1 }]);
    await world.reported();
    await sql`
      INSERT INTO usage_counters (customer, meter, hour, tenant, value, sent, events, settled_events, last_value, last_at, updated_at)
      SELECT ${customer}, ${meter}, hour, 'default', 2, 2, 1, 1, 2, hour, hour
      FROM generate_series(date_trunc('hour', ${new Date(ago(800 * HOUR_MS))}::timestamptz), ${new Date(ago(200 * HOUR_MS))}, '1 hour') hour`.execute(
      world.db,
    );
    const found = new Set<string>();
    for (let cursor: string | null = null; ;) {
      const reply = await world.send(RPC.usageCompare, { body: { from: ago(801 * HOUR_MS), to: ago(100 * HOUR_MS), cursor } });
      const page = world.json<UsageComparison>(reply);
      const ours = page.differences.filter((one) => one.customer === customer);
      expect(ours.length).toBeLessThanOrEqual(500);
      for (const { hour } of ours) found.add(hour);
      cursor = page.next_cursor;
      if (cursor === null) break;
    }
    expect(found.size).toBeGreaterThan(590);
    await sql`DELETE FROM usage_counters WHERE customer = ${customer} AND value = 2`.execute(world.db);
  });

  it('finds nothing in a meter that takes the latest, in whichever process and with whichever clock two events of one second were counted', async () => {
    const [customer, meter, now] = [await world.customer(), await world.meter('last'), world.clock.now()];
    const at = new Date(Math.floor(now.getTime() / 1000) * 1000 - 60_000);
    const event = { tenant: 'default', customer, meter, at, hour: hourOf(at), parked: false };
    // The process whose clock is ahead comes to the counter first.
    await insertUsage(world.db, [{ ...event, id: 'ahead', value: '7' }], { now: new Date(now.getTime() + 500), dueAt: now });
    await insertUsage(world.db, [{ ...event, id: 'behind', value: '3' }], { now, dueAt: now });
    await world.reported();
    expect(world.taken(meter, customer)).toHaveLength(2);
    expect(await world.differences()).toEqual([]);
    await rebuildUsageCounters(world.db, now);
    await world.reported();
    expect(await world.differences()).toEqual([]);
  });

  it('has the latest sent again, which is the one that was counted last and not the one that came last', async () => {
    const [customer, meter, now] = [await world.customer(), await world.meter('last'), world.clock.now()];
    const at = new Date(Math.floor(now.getTime() / 1000) * 1000 - 60_000);
    const event = { tenant: 'default', customer, meter, at, hour: hourOf(at) };
    const times = (ms: number) => ({ now: new Date(now.getTime() + ms), dueAt: now });
    // Parked while nobody knew the customer, and counted after one that came when he was known.
    await insertUsage(world.db, [{ ...event, id: `parked ${meter}`, value: '7', parked: true }], times(0));
    await insertUsage(world.db, [{ ...event, id: `known ${meter}`, value: '3', parked: false }], times(500));
    await world.db.transaction().execute((tx) => countParked(tx, { tenant: 'default', customer }, times(1000)));
    await world.reported();
    world.advance(2 * HOUR_MS);
    const latest = world.taken(meter, customer).find(({ value }) => value === 7);
    const cancel = { event_name: meter, type: 'cancel', 'cancel[identifier]': latest?.identifier ?? '' };
    await world.stripe('billing/meter_event_adjustments', cancel);
    expect((await repair({ customer, meter, hour: event.hour.toISOString() })).status).toBe(200);
    await world.reported();
    expect(await world.differences()).toEqual([]);
  });

  it('lets a repair survive it that the counters are filled again', async () => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    const at = ago(3 * HOUR_MS);
    await world.record([{ customer, meter, value: 4, at }]);
    await world.reported();
    world.advance(2 * HOUR_MS);
    const [planted] = world.taken(meter, customer);
    const cancel = { event_name: meter, type: 'cancel', 'cancel[identifier]': planted?.identifier ?? '' };
    await world.stripe('billing/meter_event_adjustments', cancel);
    const hour = new Date(Math.floor(Date.parse(at) / HOUR_MS) * HOUR_MS).toISOString();
    expect((await repair({ customer, meter, hour })).status).toBe(200);
    await rebuildUsageCounters(world.db, world.clock.now());
    await world.reported();
    expect(await world.differences()).toEqual([]);
  });

  it('finds single events that somebody took back; a repair sends them again, and the next run is clean', async () => {
    const [customer, count, last] = [await world.customer(), await world.meter('count'), await world.meter('last')];
    const began = Math.floor(Date.parse(ago(5 * HOUR_MS)) / HOUR_MS) * HOUR_MS;
    const at = (minutes: number) => new Date(began + minutes * 60_000).toISOString();
    await world.record([
      ...[1, 2, 3].map((minutes) => ({ customer, meter: count, at: at(minutes) })),
      { customer, meter: last, value: 9, at: at(2) },
      { customer, meter: last, value: 5, at: at(1) },
    ]);
    await world.reported();
    world.advance(2 * HOUR_MS);
    const cancel = (meter: string, identifier = '') =>
      world.stripe('billing/meter_event_adjustments', { event_name: meter, type: 'cancel', 'cancel[identifier]': identifier });
    for (const one of world.taken(count, customer).slice(0, 2)) await cancel(count, one.identifier);
    await cancel(last, world.taken(last, customer).find(({ value }) => value === 9)?.identifier);
    const { differences } = await compare();
    expect(differences.map(({ meter, local, remote, repairable }) => [meter, local, remote, repairable])).toEqual([
      [count, '3', '1', true],
      [last, '9', '5', true],
    ]);
    const { hour } = differences[0] ?? {};
    expect(world.json(await repair({ customer, meter: count, hour }))).toMatchObject({ local: '3', remote: '1', difference: '2' });
    // The same again, before and after it is reported, is the same.
    expect((await repair({ customer, meter: count, hour })).status).toBe(200);
    expect(world.json(await repair({ customer, meter: last, hour }))).toMatchObject({ local: '9', remote: '5', difference: '9' });
    await world.reported();
    expect(world.json(await repair({ customer, meter: count, hour }))).toMatchObject({ remote: '1' });
    expect((await repair({ customer, meter: count, hour, reason: 'another drill' })).status).toBe(422);
    expect(await compare()).toMatchObject({ pending: 0, differences: [] });
    expect(world.taken(count, customer).filter(({ canceled }) => !canceled)).toHaveLength(3);
    expect(await world.usage(customer)).toMatchObject([{ unreported: 0 }, { unreported: 0 }]);
    const { rows } = await sql<{ target: string }>`
      SELECT target FROM operator_actions WHERE action = 'usage.repair' AND target LIKE ${`${customer} %`} ORDER BY id`.execute(world.db);
    expect(rows.map(({ target }) => target.split(' ')[1])).toEqual([count, last]);
  });

  it('has what somebody took back sent again once, though two people want it by the same summary', async () => {
    const [customer, count] = [await world.customer(), await world.meter('count')];
    const at = ago(3 * HOUR_MS);
    await world.record(Array.from({ length: 3 }, () => ({ customer, meter: count, at })));
    await world.reported();
    world.advance(2 * HOUR_MS);
    const cancel = { event_name: count, type: 'cancel', 'cancel[identifier]': world.taken(count, customer)[0]?.identifier ?? '' };
    await world.stripe('billing/meter_event_adjustments', cancel);
    const body = { customer, meter: count, hour: hourOf(new Date(at)).toISOString() };
    const [read, goOn] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    world.start({
      hit: async (name) => {
        if (name !== 'payments.usage.summary.after_call') return;
        read.resolve(undefined);
        await goOn.promise;
      },
    });
    const slow = world.send(RPC.usageRepair, { body: { ...body, reason: 'a slow drill' } }, world.replicas.length - 1);
    await read.promise;
    expect((await repair(body)).status).toBe(200);
    goOn.resolve(undefined);
    expect((await slow).status).toBe(200);
    world.replicas.pop();
    await world.reported();
    expect(world.taken(count, customer).filter(({ canceled }) => !canceled)).toHaveLength(3);
    expect(await world.usage(customer)).toMatchObject([{ unreported: 0 }]);
  });

  it('takes no single events back: what somebody else reported is named and left', async () => {
    const [customer, count] = [await world.customer(), await world.meter('count')];
    const at = ago(3 * HOUR_MS);
    const theirs = (timestamp: string) =>
      world.stripe('billing/meter_events', {
        event_name: count,
        timestamp: String(Math.floor(Date.parse(timestamp) / 1000)),
        'payload[stripe_customer_id]': customer,
        'payload[value]': '1',
      });
    await world.record([{ customer, meter: count, at }]);
    await world.reported();
    await theirs(at);
    await theirs(ago(4 * HOUR_MS));
    world.advance(2 * HOUR_MS);
    const { differences } = await compare();
    expect(differences.map(({ local, remote, reason, repairable }) => [local, remote, reason, repairable]).toSorted()).toEqual([
      ['0', '1', 'not_ours', false],
      ['1', '2', 'beyond_repair', false],
    ]);
    for (const { hour } of differences) expect((await repair({ customer, meter: count, hour })).status).toBe(422);
    await sql`DELETE FROM usage_counters WHERE customer = ${customer}`.execute(world.db);
  });

  it('looks at one tenant, at one counter, and at older hours only until they are confirmed', async () => {
    const [ours, theirs, meter] = [await world.customer(), await world.customer('other'), await world.meter()];
    await world.record([
      { customer: ours, meter, at: ago(8 * DAY_MS) },
      { customer: ours, meter },
    ]);
    await world.record([{ customer: theirs, meter }], 'other');
    await world.reported();
    const asked = async (body: object) =>
      world.json<UsageComparison>(await world.send(RPC.usageCompare, { body: { from: ago(HOUR_MS), to: ago(-HOUR_MS), ...body } }))
        .compared;
    expect(await asked({ tenant: 'other' })).toBe(1);
    expect(await asked({ counter: { customer: ours, meter } })).toBe(1);
    expect(await asked({ counter: { customer: ours, meter }, unconfirmed_from: ago(30 * DAY_MS) })).toBe(2);
    expect(await asked({ counter: { customer: ours, meter }, unconfirmed_from: ago(30 * DAY_MS) })).toBe(1);
    await world.record([{ customer: ours, meter, at: ago(8 * DAY_MS) }]);
    await world.reported();
    expect(await asked({ counter: { customer: ours, meter }, unconfirmed_from: ago(30 * DAY_MS) })).toBe(2);
  });

  it('says nothing of a customer who was erased, whom Stripe does not know any more', async () => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    await world.record([{ customer, meter, value: 4, at: ago(3 * HOUR_MS) }]);
    await world.reported();
    await world.send(RPC.customerErase, { params: { id: customer }, body: { reason: 'asked to' }, key: null });
    await world.parts.carryOnObjectsOnce(60_000);
    expect((await compare()).differences.filter((one) => one.customer === customer)).toEqual([]);
    await sql`DELETE FROM usage_counters WHERE customer = ${customer}`.execute(world.db);
  });

  it('says when Stripe cannot be asked, and never that all is well', async () => {
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/billing/meters/:id/event_summaries', times: 1 });
    const reply = await world.send(RPC.usageCompare, { body: { from: ago(DAY_MS), to: ago(0) } });
    expect(reply.status).toBe(503);
    world.simulator.clearFaults();
  });
});

describe('An operator', () => {
  it('sees usage in no counter, and counters that are stale, page by page', async () => {
    const meter = await world.meter();
    await world.record(['cus_Nobody1', 'cus_Nobody2', 'cus_Nobody2'].map((customer) => ({ customer, meter, value: '0.5' })));
    const page = async <T>(subject: typeof RPC.operatorUsageMissing | typeof RPC.operatorUsageStale, query: Record<string, string>) =>
      world.json<{ data: T[]; next_cursor: string | null }>(await world.send(subject, { query }));
    const first = await page<MissingCounterView>(RPC.operatorUsageMissing, { limit: '1' });
    const second = await page<MissingCounterView>(RPC.operatorUsageMissing, { limit: '1', cursor: first.next_cursor ?? '' });
    expect([...first.data, ...second.data].map(({ customer, events, value }) => [customer, events, value])).toEqual([
      ['cus_Nobody1', 1, '0.5'],
      ['cus_Nobody2', 2, '1'],
    ]);
    expect(second.next_cursor).toBeNull();
    // All that came before has been compared; what comes now waits for that.
    const customers = await Promise.all([world.customer(), world.customer()]);
    await world.record(Array.from({ length: 70 }, (_, n) => ({ customer: customers[n % 2] ?? '', meter, at: ago((n >> 1) * HOUR_MS) })));
    await world.reported();
    world.advance(25 * HOUR_MS);
    const all = await page<StaleCounterView>(RPC.operatorUsageStale, { limit: '100' });
    const half = await page<StaleCounterView>(RPC.operatorUsageStale, { limit: '60' });
    const rest = await page<StaleCounterView>(RPC.operatorUsageStale, { limit: '60', cursor: half.next_cursor ?? '' });
    expect([...half.data, ...rest.data].slice(0, 100)).toEqual(all.data);
    expect(all.data[0]).toMatchObject({ reason: 'not_compared', unreported_events: 0 });
    expect((await world.metric('usage_counters_stale'))[0]).toBe(half.data.length + rest.data.length);
  });
});
