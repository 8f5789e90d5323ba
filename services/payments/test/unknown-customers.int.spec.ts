import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { noFailpoints } from '@tidegate/database/failpoints';
import { type StripePort } from '@tidegate/stripe-gateway/port';
import { createLogger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { UnknownCustomers } from '../src/usage/unknown-customers.loop.js';
import { insertUsage } from '../src/usage/usage-event.store.js';
import { nextDue } from '../src/work/next-due.js';
import { rowsRead } from './rows-read.js';
import { type UsageWorld, usageWorld } from './usage-world.js';

jest.setTimeout(60_000);

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const [tenant, value] = ['default', '1'];

let world: UsageWorld;
let meter: string;
beforeAll(async () => {
  world = await usageWorld({ replicas: 2 });
  meter = await world.meter();
});
afterEach(async () => {
  world.simulator.clearFaults();
  await sql`DELETE FROM usage_unknown_customers`.execute(world.db);
  await sql`DELETE FROM usage_events WHERE counted_at IS NULL`.execute(world.db);
  await sql`DELETE FROM usage_counters`.execute(world.db);
});
afterAll(() => world?.close());

let made = 0;
/** A customer at Stripe whom nobody can ask about: Stripe does not answer, so that only what is known here counts. */
const silent = (): string => {
  world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/customers/:id', times: 0 });
  return `cus_Silent${(made += 1)}`;
};
/** As the answer of Stripe to a request for a customer is recorded: by a process of any version. */
const becomesActive = async (customer: string, db = world.db) => {
  await sql`
    INSERT INTO customers (ref, command_id, tenant, status, stripe_customer, metadata, livemode, call_since, created_at)
    VALUES (${`cst_${customer}`}, ${customer}, ${tenant}, 'creating', NULL, '{}', false, now(), now()) ON CONFLICT DO NOTHING`.execute(db);
  await sql`UPDATE customers SET status = 'active', stripe_customer = ${customer} WHERE ref = ${`cst_${customer}`}`.execute(db);
};
/** What a process stores that has judged it while nobody knew the customer. */
const park = (customer: string, db = world.db) => {
  const now = world.clock.now();
  const hour = new Date(Math.floor(now.getTime() / HOUR_MS) * HOUR_MS);
  const event = { tenant, id: `parked-${(made += 1)}`, customer, meter, value, at: hour, hour, parked: true };
  return insertUsage(db, [event], { now, dueAt: now });
};
const settle = (replica = 0) => world.replicas[replica]!.parts.settleUnknownCustomersOnce();
const counted = async (customer: string) => (await world.usage(customer)).reduce((sum, { events }) => sum + events, 0);
const waiting = async () =>
  (await sql<{ customer: string }>`SELECT customer FROM usage_unknown_customers ORDER BY customer`.execute(world.db)).rows.map(
    (row) => row.customer,
  );
/** Someone waits for a row that another transaction has written. */
const oneWaits = () =>
  eventually(async () => {
    const { rows } = await sql`SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'`.execute(world.db);
    expect(rows.length).toBeGreaterThan(0);
  });

describe('However many customers nobody knows', () => {
  beforeAll(() => world.analyzedByHand('usage_unknown_customers'));

  const [none, few] = ['none of them that is not due', 'no more of those that are due than it asks about'];
  it.each([
    ['just filled', none, DAY_MS],
    ['analyzed', none, DAY_MS],
    ['just filled', few, -DAY_MS],
    ['analyzed', few, -DAY_MS],
    ['analyzed before they were due', few, -DAY_MS],
  ])('a pass, and the look whether there is need for one, read in a table that was %s %s', async (how, _which, dueInMs) => {
    const dueAt = new Date(world.clock.now().getTime() + dueInMs);
    const before = new Date(world.clock.now().getTime() + DAY_MS);
    await sql`
      INSERT INTO usage_unknown_customers (tenant, customer, since, due_at)
      SELECT CASE WHEN n % 2000 = 0 THEN 'other' || n ELSE 'inventive' END, 'cus_MadeUp' || n, now(), ${how.endsWith('due') ? before : dueAt}::timestamptz
      FROM generate_series(1, 20000) AS n`.execute(world.db);
    if (how.startsWith('analyzed')) await world.analyze('usage_unknown_customers');
    if (how.endsWith('due')) await sql`UPDATE usage_unknown_customers SET due_at = ${dueAt}`.execute(world.db);
    const read = await world.db.transaction().execute(async (tx) => {
      const logger = createLogger({ service: 'payments', level: 'silent' });
      const parts = { failpoints: noFailpoints, clock: world.clock, logger, reportAfterMs: 0 };
      const begun = await rowsRead(tx, 'usage_unknown_customers');
      // Whoever is asked about has no answer: there is no Stripe.
      await new UnknownCustomers({ ...parts, db: tx, stripe: {} as StripePort }).runOnce();
      expect((await nextDue(tx, world.clock.now(), 1000)).has('usage_customers')).toBe(true);
      return (await rowsRead(tx, 'usage_unknown_customers')) - begun;
    });
    expect(read).toBeLessThan(500);
  });
});

describe('Who becomes known', () => {
  it('has his usage counted by the next pass, in whichever replica, and Stripe is asked for nothing', async () => {
    const customer = silent();
    await world.record([
      { customer, meter },
      { customer, meter },
    ]);
    await settle();
    expect(await counted(customer)).toBe(0);
    await becomesActive(customer);
    expect([...(await nextDue(world.db, world.clock.now(), 0)).keys()]).toContain('usage_customers');
    const settled = await Promise.all([settle(0), settle(1)]);
    expect([settled[0]! + settled[1]!, await counted(customer), await waiting()]).toEqual([1, 2, []]);
  });

  it('is not missed by usage that is parked at the same moment and committed first', async () => {
    const customer = silent();
    const active = await world.db.transaction().execute(async (tx) => {
      await park(customer, tx);
      const active = becomesActive(customer);
      await oneWaits();
      return { active };
    });
    await active.active;
    await settle();
    expect([await counted(customer), await waiting()]).toEqual([1, []]);
  });

  it('is not missed by usage that is parked at the same moment and committed last', async () => {
    const customer = silent();
    const parked = await world.db.transaction().execute(async (tx) => {
      await becomesActive(customer, tx);
      const parked = park(customer);
      await oneWaits();
      return { parked };
    });
    await parked.parked;
    await settle();
    expect([await counted(customer), await waiting()]).toEqual([1, []]);
  });

  it('is not missed by usage that was judged before and is parked after a pass that found nothing', async () => {
    const customer = silent();
    await becomesActive(customer);
    expect([await settle(), await waiting()]).toEqual([0, []]);
    await park(customer);
    await settle();
    expect([await counted(customer), await waiting()]).toEqual([1, []]);
  });

  it('is not kept waiting by all those who become known and had no usage', async () => {
    for (let n = 0; n < 101; n += 1) await becomesActive(`cus_NoUsage${n}`);
    const customer = silent();
    await park(customer);
    await becomesActive(customer);
    expect(await waiting()).toEqual([customer]);
    expect([await settle(), await counted(customer), await waiting()]).toEqual([1, 1, []]);
  });

  it('is found by another process when the one dies that heard it of Stripe', async () => {
    const customer = String((await world.stripe('customers', { 'metadata[tenant_id]': tenant }))['id']);
    await world.record([{ customer, meter }]);
    const dying = world.start({
      async hit(name) {
        if (name === 'payments.usage.released.before_commit') throw new Error(`died at ${name}`);
      },
    });
    await dying.parts.settleUnknownCustomersOnce();
    world.replicas.pop();
    expect(await counted(customer)).toBe(0);
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/customers/:id', times: 0 });
    await settle();
    expect([await counted(customer), await waiting()]).toEqual([1, []]);
  });

  it('has his usage counted when nobody had asked about him any more', async () => {
    const customer = silent();
    await park(customer);
    world.simulator.clearFaults();
    await sql`UPDATE usage_events SET at = at - interval '36 days' WHERE customer = ${customer}`.execute(world.db);
    await settle();
    const { rows } = await sql`SELECT FROM usage_unknown_customers WHERE customer = ${customer} AND due_at = 'infinity'`.execute(world.db);
    expect(rows).toHaveLength(1);
    expect(await world.metric('usage_events_parked')).toEqual([1, 1]);
    expect(await world.metric('usage_oldest_unreported_seconds')).toEqual([0, 0]);
    await becomesActive(customer);
    await settle();
    expect(await waiting()).toEqual([]);
    expect(await world.metric('usage_events_parked')).toEqual([0, 0]);
  });

  it('and is erased before anybody looks, has nothing counted any more', async () => {
    const customer = silent();
    await park(customer);
    await becomesActive(customer);
    await sql`UPDATE customers SET status = 'erasing' WHERE stripe_customer = ${customer}`.execute(world.db);
    await settle();
    expect([await counted(customer), await waiting()]).toEqual([0, []]);
    expect(await world.metric('usage_events_parked')).toEqual([1, 1]);
  });

  it('is found by the migration when he became known in the second before it', async () => {
    const customer = silent();
    await park(customer);
    await becomesActive(customer);
    await park('cus_MadeUp');
    await sql`UPDATE usage_unknown_customers SET known = false`.execute(world.db);
    const migration = readFileSync(new URL('../migrations/0032_known_before.sql', import.meta.url), 'utf8');
    await sql.raw(migration).execute(world.db);
    await settle();
    expect([await counted(customer), await waiting()]).toEqual([1, ['cus_MadeUp']]);
  });
});
