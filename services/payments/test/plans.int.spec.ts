import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Database, openDatabase } from '@tidegate/database/database';
import { createLogger } from '@tidegate/telemetry/logger';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { type RawBuilder, sql } from 'kysely';
import { nextDue } from '../src/work/next-due.js';
import { type PaymentsTables } from '../src/tables.js';
import { countingStale, listingStale, staleCounters } from '../src/usage/stale.store.js';
import { acquireDue, takingDue } from '../src/work/work.store.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const now = new Date('2026-11-22T06:00:00.000Z');

describe('However much there is beside it', () => {
  let database: TestDatabase;
  let opened: Database<PaymentsTables>;
  beforeAll(async () => {
    database = await postgresForTests();
    const logger = createLogger({ service: 'payments', level: 'silent' });
    const open = (url: string) => openDatabase<PaymentsTables>({ url, poolSize: 1, applicationName: 'plans-spec' }, logger);
    opened = open(database.urlFor('payments'));
    const owner = open(database.url);
    // A long backlog of payments, and usage of a month that was compared but for a little.
    await sql`
      INSERT INTO payments.payment_work (payment_id, due_at, since)
      SELECT 'pay_' || n, ${now}::timestamptz - n * interval '1 second', ${now}::timestamptz FROM generate_series(1, 20000) AS n
      UNION ALL SELECT 'sub_' || n, ${now}::timestamptz - n * interval '1 millisecond', ${now}::timestamptz FROM generate_series(1, 5) AS n`.execute(
      owner.db,
    );
    await sql`
      INSERT INTO payments.usage_counters (customer, meter, hour, tenant, value, events, last_value, last_at, updated_at, last_reconciled_at, unconfirmed, lost, due_at, unreported_since)
      SELECT 'cus_' || n % 30, 'calls', at, 'default', 1, 1, 1, at, at, CASE WHEN n <> 1000 THEN at + interval '1 hour' END, n = 1000 OR n % 50 = 0,
        CASE WHEN n = 2000 THEN 1 ELSE 0 END, CASE WHEN n = 3000 THEN at END, CASE WHEN n = 3000 THEN at END
      FROM generate_series(0, 20999) AS n, LATERAL (SELECT ${now}::timestamptz - (48 + n / 30) * interval '1 hour' AS at) AS hour`.execute(
      owner.db,
    );
    await sql`ANALYZE payments.payment_work, payments.usage_counters`.execute(owner.db);
    await owner.close();
  });
  afterAll(async () => {
    await opened.close();
    await database.drop();
  });

  const planOf = async (statement: RawBuilder<unknown>): Promise<string> =>
    JSON.stringify((await sql<object>`EXPLAIN (COSTS off) ${statement}`.execute(opened.db)).rows);

  it('work of one kind is taken along an index in the order of its time', async () => {
    const plan = await planOf(takingDue('payments-1#loop1', now, 10, 'sub'));
    expect(plan).toContain('Index Scan using payment_work_objects_due_at_since_index');
    expect(plan).not.toContain('Sort');
    expect([...(await nextDue(opened.db, now, 0)).keys()].toSorted()).toEqual(['pay', 'sub', 'usage']);
    expect((await acquireDue(opened.db, 'payments-1#loop1', now, 2, 'sub')).map(({ payment_id }) => payment_id)).toEqual([
      'sub_5',
      'sub_4',
    ]);
  });

  it('stale usage is counted along an index of what is not confirmed', async () => {
    expect(await planOf(countingStale(now, DAY_MS))).toContain('usage_counters_unconfirmed_index');
  });

  it.each([
    ['first', null, ['waits', 'lost', 'stale']],
    ['next', { hour: new Date(now.getTime() - 100 * HOUR_MS), customer: '', meter: '' }, ['stale']],
  ])('stale usage is listed, its %s page along an index for each reason', async (_which, after, listed) => {
    const query = { now, olderThanMs: DAY_MS, after, limit: 20 };
    const plan = await planOf(listingStale(query));
    for (const index of ['unconfirmed', 'due_at', 'lost'])
      expect(plan).toMatch(new RegExp(`Scan (using|on) usage_counters_${index}_index`));
    expect(plan).not.toContain('Seq Scan');
    const rows = await staleCounters(opened.db, query);
    expect(rows.map(({ lost, is_due }) => (is_due ? 'waits' : lost ? 'lost' : 'stale'))).toEqual(listed);
  });
});
