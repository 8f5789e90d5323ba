import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { type StaleCounterView } from '@tidegate/contracts/usage';
import { type KyselyPlugin, sql } from 'kysely';
import { countParked, insertUsage } from '../src/usage/usage-event.store.js';
import { type UsageWorld, usageWorld } from './usage-world.js';

jest.setTimeout(60_000);

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let world: UsageWorld;
beforeAll(async () => {
  world = await usageWorld({ replicas: 2 });
});
afterEach(() => world.simulator.clearFaults());
afterAll(() => world?.close());

const ago = (ms: number) => new Date(world.clock.now().getTime() - ms).toISOString();

describe('Usage that is sent', () => {
  it('is counted once, however often it comes, also in two replicas at once and twice in one request', async () => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    const event = { id: 'once', customer, meter, value: '2.5', at: ago(60_000) };
    const answers = await Promise.all([world.record([event, event]), world.record([event], 'default', 1), world.record([event])]);
    const total = (of: (one: (typeof answers)[number]) => number) => answers.reduce((sum, one) => sum + of(one), 0);
    expect([total((one) => one.accepted), total((one) => one.duplicate), total((one) => one.rejected.length)]).toEqual([1, 3, 0]);
    expect(await world.usage(customer)).toMatchObject([{ meter, value: '2.5', events: 1, unreported: 1 }]);
  });

  it('is counted as it was said first, when one request says the same id with other words again', async () => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    const said = Array.from({ length: 400 }, (_, n) => ({ id: `said-${(n * 7919) % 400}`, customer, meter, at: ago(60_000) }));
    const answer = await world.record([...said.map((one) => ({ ...one, value: 1 })), ...said.map((one) => ({ ...one, value: 100 }))]);
    expect([answer.accepted, answer.duplicate, answer.rejected.length]).toEqual([400, 0, 400]);
    expect(await world.usage(customer)).toMatchObject([{ value: '400', events: 400 }]);
  });

  it('is judged event by event, and what is wrong keeps nothing else out', async () => {
    const [customer, theirs, meter] = [await world.customer(), await world.customer('other'), await world.meter()];
    await world.record([{ id: 'said-before', customer, meter, value: 1, at: '2026-11-01T10:00:00Z' }]).catch(() => undefined);
    const good = { customer, meter };
    const answer = await world.record([
      { ...good, id: 'fine' },
      { ...good, id: 'no-number', value: 'many' },
      { ...good, id: 'exponent', value: 1e21 },
      { ...good, id: 'too-many-places', value: '0.0000000000001' },
      { ...good, id: 'no-time', at: 'yesterday' },
      { ...good, id: 'old', at: ago(35 * DAY_MS + 60_000) },
      { ...good, id: 'ahead', at: ago(-6 * 60_000) },
      { ...good, id: 'no-customer', customer: 'somebody' },
      { ...good, id: 'theirs', customer: theirs },
      { ...good, id: 'no-meter', meter: ' ' },
      { ...good, id: 'fine', value: 7 },
    ]);
    expect(answer).toMatchObject({ accepted: 1, duplicate: 0, parked: 0 });
    expect(answer.rejected.map(({ index, id, code }) => [index, id, code])).toEqual([
      [1, 'no-number', 'usage.value_invalid'],
      [2, 'exponent', 'usage.value_invalid'],
      [3, 'too-many-places', 'usage.value_invalid'],
      [4, 'no-time', 'usage.time_invalid'],
      [5, 'old', 'usage.too_old'],
      [6, 'ahead', 'usage.in_future'],
      [7, 'no-customer', 'usage.customer_invalid'],
      [8, 'theirs', 'not_found'],
      [9, 'no-meter', 'usage.meter_invalid'],
      [10, 'fine', 'usage.id_reused'],
    ]);
    expect(await world.usage(theirs, {}, 'other')).toEqual([]);
    expect(await world.usage(customer, {}, 'other')).toEqual([]);
  });

  it('may be a number so small that it is written with an exponent, down to the twelfth place', async () => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    const answer = await world.record([2.5e-7, -1e-12, 1e-13].map((value) => ({ customer, meter, value })));
    expect([answer.accepted, answer.rejected.map(({ index, code }) => [index, code])]).toEqual([2, [[2, 'usage.value_invalid']]]);
    expect(await world.usage(customer)).toMatchObject([{ meter, value: '0.000000249999', events: 2 }]);
  });

  it('adds up exactly, by customer, meter and period', async () => {
    const [customer, meter, second] = [await world.customer(), await world.meter(), await world.meter()];
    const hour = new Date(Math.floor(world.clock.now().getTime() / HOUR_MS) * HOUR_MS);
    const before = new Date(hour.getTime() - 60_000).toISOString();
    const tenths = Array.from({ length: 300 }, (_, n) => ({ customer, meter, value: 0.1, at: n < 100 ? before : ago(60_000) }));
    await world.record([...tenths, { customer, meter, value: '0.000000000001' }, { customer, meter: second, value: '-3' }]);
    const period = { from: new Date(hour.getTime() - DAY_MS).toISOString(), to: new Date(hour.getTime() + HOUR_MS).toISOString() };
    expect((await world.usage(customer, period)).map(({ meter: name, value, events }) => [name, value, events])).toEqual(
      [
        [meter, '30.000000000001', 301],
        [second, '-3', 1],
      ].toSorted(),
    );
    expect((await world.usage(customer, { ...period, to: hour.toISOString(), meter })).map(({ value }) => value)).toEqual(['10']);
    const crooked = await world.send(RPC.usageGet, { query: { customer, from: '2026-11-01T10:30:00.000Z' } });
    expect([crooked.status, crooked.body]).toEqual([400, expect.stringContaining('full hour')]);
  });

  it('waits for its customer, in no counter, and is counted when he appears here', async () => {
    const [meter, tenant] = [await world.meter(), 'default'];
    const id = 'cus_NotHereYet1';
    expect(
      await world.record([
        { customer: id, meter, value: 3 },
        { customer: id, meter, value: 4 },
      ]),
    ).toMatchObject({ accepted: 2, parked: 2 });
    expect(await world.usage(id)).toEqual([]);
    expect(await world.metric('usage_events_parked')).toEqual([2, 2]);
    await world.parts.settleUnknownCustomersOnce();
    expect(await world.usage(id)).toEqual([]);
    // As a request that was repeated after a restore of the database would have it.
    await sql`UPDATE customers SET stripe_customer = ${id} WHERE ref = (SELECT ref FROM customers WHERE tenant = ${tenant} LIMIT 1)`.execute(
      world.db,
    );
    const settled = await Promise.all(world.replicas.map(({ parts }) => parts.settleUnknownCustomersOnce()));
    expect(settled.reduce((sum, count) => sum + count, 0)).toBe(1);
    expect(await world.usage(id)).toMatchObject([{ meter, value: '7', events: 2 }]);
    expect(await world.metric('usage_events_parked')).toEqual([0, 0]);
    // Stripe knows nothing of him.
    await sql`DELETE FROM usage_counters WHERE customer = ${id}`.execute(world.db);
  });

  it('waits for a customer made elsewhere until Stripe says that he is this tenant’s', async () => {
    const meter = await world.meter();
    const [ours, theirs] = await Promise.all(
      ['default', 'other'].map(async (tenant) => String((await world.stripe('customers', { 'metadata[tenant_id]': tenant }))['id'])),
    );
    await world.record([ours, theirs].map((customer = '') => ({ customer, meter, value: 5 })));
    await world.parts.settleUnknownCustomersOnce();
    expect(await world.usage(ours ?? '')).toMatchObject([{ value: '5' }]);
    expect(await world.usage(theirs ?? '')).toEqual([]);
    // From now on both are known, the one as nobody of ours.
    expect(await world.record([{ customer: ours ?? '', meter }])).toMatchObject({ accepted: 1, parked: 0 });
    world.advance(HOUR_MS);
    await world.parts.settleUnknownCustomersOnce();
    expect(await world.usage(theirs ?? '')).toEqual([]);
    await sql`DELETE FROM usage_unknown_customers`.execute(world.db);
    await sql`DELETE FROM usage_events WHERE counted_at IS NULL`.execute(world.db);
  });
});

describe('Usage that waited for its customer', () => {
  const park = async (customer: string, events: number) => {
    const meter = await world.meter();
    await world.record([{ customer, meter, at: ago(60_000) }]);
    await sql`
      INSERT INTO usage_events (tenant, id, customer, meter, value, at, hour, received_at)
      SELECT tenant, id || n, customer, meter, 1, at - (n % 2) * interval '2 hours', hour - (n % 2) * interval '2 hours', received_at
      FROM usage_events, generate_series(2, ${events}::int) AS n WHERE customer = ${customer}`.execute(world.db);
  };
  const known = (customer: string) =>
    sql`INSERT INTO usage_customers (customer, tenant, found_at) VALUES (${customer}, 'default', ${world.clock.now()})`.execute(world.db);
  const waiting = async () =>
    (await sql<{ customer: string }>`SELECT customer FROM usage_unknown_customers ORDER BY customer`.execute(world.db)).rows;
  const counted = async (customer: string) => (await world.usage(customer)).reduce((sum, { events }) => sum + events, 0);
  afterEach(async () => {
    await sql`DELETE FROM usage_counters WHERE customer LIKE 'cus_Parked%'`.execute(world.db);
    await sql`DELETE FROM usage_unknown_customers`.execute(world.db);
  });

  it('is counted some thousand events at a time, however much there is, and the rest by the next pass', async () => {
    await park('cus_ParkedLarge', 42_000);
    await known('cus_ParkedLarge');
    let commits = 0;
    const dying = world.start({
      async hit(name) {
        if (name !== 'payments.usage.released.before_commit') return;
        commits += 1;
        if (commits === 2) throw new Error(`died at ${name}`);
      },
    });
    await dying.parts.settleUnknownCustomersOnce();
    world.replicas.pop();
    expect([await counted('cus_ParkedLarge'), await waiting()]).toEqual([5000, [{ customer: 'cus_ParkedLarge' }]]);
    await world.parts.settleUnknownCustomersOnce();
    expect([await counted('cus_ParkedLarge'), await waiting()]).toEqual([42_000, []]);
    // Some 3 s; a minute if each were compared with each.
  }, 30_000);

  it('is not forgotten when it comes while one replica finds nothing left that another has not counted', async () => {
    const [meter, now] = [await world.meter(), world.clock.now()];
    const [tenant, customer, hour] = ['default', 'cus_ParkedLate', new Date(Math.floor(now.getTime() / HOUR_MS) * HOUR_MS)];
    const times = { now, dueAt: now };
    let parked: Promise<unknown> | undefined;
    // Who judged it before the customer was known.
    const park = () =>
      (parked ??= insertUsage(world.db, [{ tenant, id: 'late', customer, meter, value: '1', at: hour, hour, parked: true }], times));
    let statements = 0;
    const parking: KyselyPlugin = {
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        statements += 1;
        if (statements === 2) await park();
        return result;
      },
    };
    await known(customer);
    // Another replica has been there meanwhile.
    await sql`DELETE FROM usage_unknown_customers WHERE customer = ${customer}`.execute(world.db);
    const left = await world.db
      .withPlugin(parking)
      .transaction()
      .execute((tx) => countParked(tx, { tenant, customer }, times));
    await park();
    expect([left, await waiting()]).toEqual([{ events: 0, more: false }, [{ customer }]]);
    await world.parts.settleUnknownCustomersOnce();
    expect([await counted(customer), await waiting()]).toEqual([1, []]);
  });

  it('is counted although that of a customer before him cannot be', async () => {
    await park('cus_ParkedFirst', 1);
    await park('cus_ParkedSecond', 1);
    for (const customer of ['cus_ParkedFirst', 'cus_ParkedSecond']) await known(customer);
    await sql`UPDATE usage_unknown_customers SET since = since - interval '1 day' WHERE customer = 'cus_ParkedFirst'`.execute(world.db);
    let commits = 0;
    const failing = world.start({
      async hit(name) {
        if (name !== 'payments.usage.released.before_commit') return;
        commits += 1;
        if (commits === 1) throw new Error('numeric field overflow');
      },
    });
    expect(await failing.parts.settleUnknownCustomersOnce()).toBe(1);
    world.replicas.pop();
    expect([await counted('cus_ParkedSecond'), await waiting()]).toEqual([1, [{ customer: 'cus_ParkedFirst' }]]);
  });
});

describe('Usage of a customer whom nobody knows', () => {
  const forget = async () => {
    await sql`DELETE FROM usage_unknown_customers`.execute(world.db);
    await sql`DELETE FROM usage_events WHERE counted_at IS NULL`.execute(world.db);
  };
  const settleLater = async (ms: number) => {
    world.advance(ms);
    await world.parts.settleUnknownCustomersOnce();
  };

  it('is counted for one tenant, though somebody gives the customer to another at Stripe', async () => {
    const meter = await world.meter();
    const customer = String((await world.stripe('customers', { 'metadata[tenant_id]': 'default' }))['id']);
    await world.record([{ customer, meter, value: 5 }]);
    await world.record([{ customer, meter, value: 100 }], 'other');
    await world.parts.settleUnknownCustomersOnce();
    await world.stripe(`customers/${customer}`, { 'metadata[tenant_id]': 'other' });
    await settleLater(HOUR_MS);
    expect(await world.usage(customer)).toMatchObject([{ value: '5', events: 1 }]);
    await forget();
  });

  it('keeps no other tenant waiting, however many of them there are', async () => {
    await sql`
      INSERT INTO usage_unknown_customers (tenant, customer, since, due_at)
      SELECT 'inventive', 'cus_MadeUp' || n, ${ago(DAY_MS)}::timestamptz, ${ago(DAY_MS)}::timestamptz FROM generate_series(1, 1000) AS n`.execute(
      world.db,
    );
    const [meter, customer] = [await world.meter(), String((await world.stripe('customers', { 'metadata[tenant_id]': 'default' }))['id'])];
    await world.record([{ customer, meter, value: 5 }]);
    await world.parts.settleUnknownCustomersOnce();
    expect(await world.usage(customer)).toMatchObject([{ value: '5', events: 1 }]);
    const { rows } = await sql<{ left: number }>`
      SELECT count(*)::int AS left FROM usage_unknown_customers WHERE attempt = 0 AND tenant = 'inventive'`.execute(world.db);
    expect(rows).toEqual([{ left: 991 }]);
    await forget();
  });

  it.each(['error_503', 'rate_limit', 'reset_before'] as const)('is asked about again soon after Stripe answered by %s', async (fault) => {
    const [meter, customer] = [await world.meter(), 'cus_Unanswered1'];
    await world.record([{ customer, meter }]);
    world.simulator.addFault({ fault, route: 'GET /v1/customers/:id', times: 0 });
    for (let look = 0; look < 8; look += 1) await settleLater(60_000);
    const { rows } = await sql<{ attempt: number; due_at: Date }>`SELECT attempt, due_at FROM usage_unknown_customers`.execute(world.db);
    expect(rows).toMatchObject([{ attempt: 0 }]);
    const wait = (rows[0]?.due_at.getTime() ?? 0) - world.clock.now().getTime();
    expect([wait > 3000, wait <= 60_000]).toEqual([true, true]);
    await forget();
  });

  it('is asked about as long as it can be billed, and again when there is more of it', async () => {
    const [meter, customer] = [await world.meter(), 'cus_Nobody999'];
    const asked = () => world.simulator.world.requests.all().filter(({ path }) => path === `/v1/customers/${customer}`).length;
    await world.record([{ customer, meter, at: ago(34 * DAY_MS) }]);
    await settleLater(0);
    await settleLater(2 * HOUR_MS);
    expect(asked()).toBe(2);
    await settleLater(2 * DAY_MS);
    await settleLater(2 * DAY_MS);
    expect(asked()).toBe(3);
    await world.record([{ customer, meter }]);
    await settleLater(0);
    await settleLater(2 * HOUR_MS);
    expect(asked()).toBe(5);
    await forget();
  });
});

describe('Reports to Stripe', () => {
  it('are one event per customer, meter and hour, and one more for what comes late or is taken back', async () => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    const at = ago(2 * HOUR_MS);
    const hour = at.slice(0, 13);
    await world.record([1, 2, 3.5].map((value) => ({ customer, meter, value, at })));
    await world.reported();
    await world.record([{ customer, meter, value: '10', at: ago(2 * HOUR_MS - 1000) }]);
    await world.reported();
    await world.record([{ customer, meter, value: '-4.25', at }]);
    await world.reported();
    expect(world.taken(meter, customer).map(({ identifier, event: { payload } }) => [identifier, payload['value']])).toEqual([
      [`use:${meter}:${customer}:${hour}:1`, '6.5'],
      [`use:${meter}:${customer}:${hour}:2`, '10'],
      [`use:${meter}:${customer}:${hour}:3`, '-4.25'],
    ]);
    expect(await world.usage(customer)).toMatchObject([{ value: '12.25', unreported: 0, aggregation: 'sum' }]);
    expect(await world.differences()).toEqual([]);
  });

  it('are single events of meters that count them or take the latest', async () => {
    const customer = await world.customer();
    const [count, last] = [await world.meter('count'), await world.meter('last')];
    await world.record([
      { customer, meter: count, value: 17, at: ago(3000) },
      { customer, meter: count, value: 1, at: ago(2000) },
      { customer, meter: last, value: 9, at: ago(2000) },
      { customer, meter: last, value: 5, at: ago(3000) },
    ]);
    await world.reported();
    expect(world.taken(count, customer)).toHaveLength(2);
    expect(
      world
        .taken(last, customer)
        .map(({ value }) => value)
        .toSorted(),
    ).toEqual([5, 9]);
    expect(await world.usage(customer)).toMatchObject([
      { aggregation: 'count', value: '2', unreported: 0 },
      { aggregation: 'last', value: '9', unreported: 0 },
    ]);
    expect(await world.differences()).toEqual([]);
  });

  it('wait for a meter that is not there yet, and say so', async () => {
    const [customer, meter] = [await world.customer(), `meter_later_${Date.now()}`];
    await world.record([{ customer, meter, value: 8 }]);
    await world.reported();
    expect(await world.usage(customer)).toMatchObject([{ value: '8', unreported: 1, aggregation: null }]);
    const { rows } = await sql<{ waits_for: string }>`SELECT waits_for FROM usage_counters WHERE meter = ${meter}`.execute(world.db);
    expect(rows).toEqual([{ waits_for: 'no_meter' }]);
    await world.stripe('billing/meters', { display_name: meter, event_name: meter, 'default_aggregation[formula]': 'sum' });
    await world.reported(HOUR_MS);
    expect(await world.usage(customer)).toMatchObject([{ unreported: 0 }]);
    expect(await world.differences()).toEqual([]);
  });

  it('without an answer are repeated under the same identifier, and count once', async () => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    for (const fault of ['reset_after', 'error_500_after', 'reset_before', 'error_500_before'] as const) {
      world.simulator.addFault({ fault, route: 'POST /v1/billing/meter_events', times: 3 });
      await world.record([{ customer, meter, value: '1.1', at: ago(HOUR_MS) }]);
      await world.reported(HOUR_MS);
    }
    expect(await world.usage(customer)).toMatchObject([{ value: '4.4', unreported: 0 }]);
    expect(world.taken(meter, customer)).toHaveLength(4);
    expect(await world.differences()).toEqual([]);
  });

  it.each(['reset_after', 'reset_before'] as const)(
    'without an answer for a day (%s) are settled by the summary and never sent blind',
    async (fault) => {
      const [customer, meter] = [await world.customer(), await world.meter()];
      await world.record([{ customer, meter, value: 2, at: ago(HOUR_MS) }]);
      await world.reported();
      world.simulator.addFault({ fault, route: 'POST /v1/billing/meter_events', times: 0 });
      await world.record([{ customer, meter, value: 40, at: ago(HOUR_MS) }]);
      await world.reported();
      world.simulator.clearFaults();
      // Stripe has forgotten the identifier by the time that it answers again.
      world.simulator.addFault({ fault: 'hang', route: 'GET /v1/billing/meters/:id/event_summaries', times: 1 });
      world.advance(25 * HOUR_MS);
      await world.record([{ customer, meter, value: 100, at: ago(26 * HOUR_MS + 60_000) }]);
      await world.reported(2 * HOUR_MS);
      expect(await world.usage(customer)).toMatchObject([{ value: '142', unreported: 0 }]);
      expect(world.taken(meter, customer).reduce((sum, { value }) => sum + value, 0)).toBe(142);
      expect(await world.differences()).toEqual([]);
    },
  );

  it('that Stripe knows before they were sent are not believed: a restored database has forgotten them', async () => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    const at = ago(HOUR_MS);
    const identifier = `use:${meter}:${customer}:${at.slice(0, 13)}:1`;
    await world.stripe('billing/meter_events', {
      event_name: meter,
      identifier,
      timestamp: String(Math.floor(Date.parse(at) / 1000)),
      'payload[stripe_customer_id]': customer,
      'payload[value]': '30',
    });
    await world.record([{ customer, meter, value: 70, at }]);
    await world.reported(3 * HOUR_MS);
    // Neither nothing nor 70: left for a person to decide.
    expect(world.taken(meter, customer).map(({ value }) => value)).toEqual([30]);
    const { rows } = await sql<{ waits_for: string }>`SELECT waits_for FROM usage_counters WHERE meter = ${meter}`.execute(world.db);
    expect(rows).toEqual([{ waits_for: 'disagreement' }]);
    await sql`DELETE FROM usage_counters WHERE meter = ${meter}`.execute(world.db);
  });

  it('that got too old are given up, aloud, and only those', async () => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    await world.record([
      { customer, meter, value: 3, at: ago(35 * DAY_MS - 5 * 60_000) },
      { customer, meter, value: 4, at: ago(34 * DAY_MS) },
    ]);
    await world.reported();
    expect(world.taken(meter, customer).map(({ value }) => value)).toEqual([4]);
    expect(await world.metric('usage_reports_total', 'result="expired"')).toEqual(expect.arrayContaining([1]));
    const { rows } = await sql<{
      lost: string;
    }>`SELECT lost::text AS lost FROM usage_counters WHERE meter = ${meter} ORDER BY hour`.execute(world.db);
    expect(rows.map(({ lost }) => lost)).toEqual(['3', '0']);
    world.advance(2 * DAY_MS);
    const stale = world.json<{ data: StaleCounterView[] }>(await world.send(RPC.operatorUsageStale, { query: {} }));
    expect(stale.data.filter((one) => one.customer === customer)).toContainEqual(
      expect.objectContaining({ reason: 'expired', value: '3' }),
    );
    await sql`DELETE FROM usage_counters WHERE meter = ${meter} AND lost <> 0`.execute(world.db);
  });

  it('tell how much waits and for how long', async () => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    world.simulator.addFault({ fault: 'reset_before', route: 'POST /v1/billing/meter_events', times: 0 });
    await world.record([
      { customer, meter },
      { customer, meter },
    ]);
    world.advance(HOUR_MS);
    await world.reportDue();
    expect(await world.metric('usage_events_buffered')).toEqual([2, 2]);
    const [oldest] = await world.metric('usage_oldest_unreported_seconds');
    expect(oldest).toBeGreaterThanOrEqual(3600);
    expect(oldest).toBeLessThan(3660);
    world.simulator.clearFaults();
    await world.reported(HOUR_MS);
    expect(await world.metric('usage_events_buffered')).toEqual([0, 0]);
    expect(await world.metric('usage_oldest_unreported_seconds')).toEqual([0, 0]);
  });

  it('without an answer, of a customer whom Stripe has deleted, end with the time in which they could be billed', async () => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    world.simulator.addFault({ fault: 'reset_before', route: 'POST /v1/billing/meter_events' });
    await world.record([{ customer, meter, value: 5 }]);
    world.advance(11_000);
    await world.reportDue();
    await world.send(RPC.customerErase, { params: { id: customer }, body: { reason: 'asked to' }, key: null });
    await world.parts.carryOnObjectsOnce(60_000);
    const left = async () =>
      (
        await sql<{ waits_for: string; due: boolean; lost: string }>`
          SELECT waits_for, due_at IS NOT NULL AS due, lost::text AS lost FROM usage_counters WHERE customer = ${customer}`.execute(
          world.db,
        )
      ).rows;
    world.advance(25 * HOUR_MS);
    await world.reported();
    expect(await left()).toEqual([{ waits_for: 'summary', due: true, lost: '0' }]);
    world.advance(35 * DAY_MS);
    await world.reported();
    expect(await left()).toEqual([{ waits_for: null, due: false, lost: '5' }]);
  });
});
