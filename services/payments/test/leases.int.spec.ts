import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Database, openDatabase } from '@tidegate/database/database';
import { createLogger } from '@tidegate/telemetry/logger';
import { sql } from 'kysely';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { type PaymentsTables } from '../src/tables.js';
import { acquire, acquirePayments, renew, wishRefresh } from '../src/work/work.store.js';

describe('The leases of a process', () => {
  let database: TestDatabase;
  let opened: Database<PaymentsTables>;
  beforeEach(async () => {
    database = await postgresForTests();
    const logger = createLogger({ service: 'payments', level: 'silent' });
    opened = openDatabase<PaymentsTables>({ url: database.urlFor('payments'), poolSize: 3, applicationName: 'lease-spec' }, logger);
  });
  afterEach(async () => {
    await opened.close();
    await database.drop();
  });

  it('are renewed at once, all but the one whose row somebody else has locked', async () => {
    const { db } = opened;
    const now = new Date();
    for (const id of ['pay_a', 'pay_b', 'pay_c']) await wishRefresh(db, id, now);
    const leases = await acquirePayments(db, 'spec', now, 10);
    await db.transaction().execute(async (tx) => {
      await wishRefresh(tx, 'pay_a', now);
      expect((await renew(db, leases)).toSorted()).toEqual(['pay_b', 'pay_c']);
    });
    expect((await renew(db, leases)).toSorted()).toEqual(['pay_a', 'pay_b', 'pay_c']);
  });

  it("are nobody else's, however due the row is, until they run out", async () => {
    const { db } = opened;
    const now = new Date();
    await wishRefresh(db, 'pay_a', now);
    expect(await acquirePayments(db, 'one', now, 10)).toHaveLength(1);
    expect(await acquire(db, 'pay_a', 'two', now)).toBeNull();
    expect(await acquirePayments(db, 'two', now, 10)).toEqual([]);
    await sql`UPDATE payment_work SET lease_until = clock_timestamp() - interval '1 second'`.execute(db);
    expect(await acquire(db, 'pay_a', 'two', now)).toMatchObject({ payment_id: 'pay_a' });
    expect(await acquire(db, 'pay_a', 'three', now)).toBeNull();
  });

  it('are not renewed for another holder', async () => {
    const { db } = opened;
    const now = new Date();
    await wishRefresh(db, 'pay_a', now);
    await acquirePayments(db, 'spec', now, 10);
    expect(await renew(db, [{ payment_id: 'pay_a', holder: 'another' }])).toEqual([]);
  });
});
