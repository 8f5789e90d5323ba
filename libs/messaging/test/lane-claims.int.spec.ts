import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Database, type Db, openDatabase } from '@tidegate/database/database';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { sql } from 'kysely';
import { rowsBehind } from '../src/inbox-batch.js';
import { claimLanes, hasSuspects, lockLanes, lookForLanes, renewLanes } from '../src/inbox-lanes.js';
import { messagingMigration } from './support/migration.js';
import { quiet } from './support/world.js';

const KEY = { consumer: 'receipts-payments', generation: 1 };
const LANES = 4_000;

jest.setTimeout(60_000);

/** Of the inbox and its lanes, by this connection so far, or since Postgres last looked. */
async function rowsRead(db: Db): Promise<number> {
  const { rows } = await sql<{ read: number }>`
    SELECT sum(seq_tup_read + idx_tup_fetch)::int AS read FROM pg_stat_xact_user_tables WHERE relname IN ('inbox', 'inbox_lanes')`.execute(
    db,
  );
  return rows[0]!.read;
}

/** So many lanes with one message each. */
async function oneEach(db: Db, lanes: number): Promise<void> {
  await sql`INSERT INTO inbox_watermarks (consumer, generation, stream, position) VALUES (${KEY.consumer}, 1, 'PAYMENTS_EVENTS', ${lanes})`.execute(
    db,
  );
  await sql`
    INSERT INTO inbox (consumer, generation, message_id, epoch, position, subject, aggregate, bytes)
    SELECT ${KEY.consumer}, 1, gen_random_uuid(), 1, n, 'payments.events.payment.succeeded.v1', 'payment:pay_' || n, '' FROM generate_series(1, ${lanes}::int) AS n`.execute(
    db,
  );
  await sql`INSERT INTO inbox_lanes (consumer, generation, aggregate, position) SELECT consumer, generation, aggregate, position FROM inbox`.execute(
    db,
  );
}

describe('Given more messages at once than the statistics of the database know of', () => {
  let database: TestDatabase;
  let opened: Database<Record<string, never>>;
  beforeEach(async () => {
    database = await postgresForTests({ migrate: messagingMigration });
    opened = openDatabase({ url: database.urlFor('receipts'), poolSize: 1, applicationName: 'lanes' }, quiet);
  });
  afterEach(async () => {
    await opened.close();
    await database.drop();
  });

  it('lanes are found by their heads, not by reading the whole inbox for each', async () => {
    const { db } = opened;
    await sql`INSERT INTO inbox_watermarks (consumer, generation, stream, position) VALUES (${KEY.consumer}, 1, 'PAYMENTS_EVENTS', ${3 * LANES})`.execute(
      db,
    );
    await sql`
      INSERT INTO inbox (consumer, generation, message_id, epoch, position, subject, aggregate, bytes)
      SELECT ${KEY.consumer}, 1, gen_random_uuid(), 1, n, 'payments.events.payment.succeeded.v1', 'payment:pay_' || n % ${LANES}::int, ''
      FROM generate_series(1, ${3 * LANES}::int) AS n`.execute(db);
    await sql`
      INSERT INTO inbox_lanes (consumer, generation, aggregate, position)
      SELECT consumer, generation, aggregate, min(position) FROM inbox GROUP BY 1, 2, 3`.execute(db);

    const startedAt = performance.now();
    expect(await hasSuspects(db, KEY, { now: new Date(), suspectPauseMs: 1_000 })).toBe(false);
    const claimed = await claimLanes(db, KEY, { holder: 'one', now: new Date(), limit: 64, ttlMs: 60_000 });
    // Some 20 ms; a hundred times as much when each lane reads the inbox.
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(claimed.map((row) => row.position)).toEqual(Array.from({ length: 64 }, (_, n) => n + 1));

    await sql`UPDATE inbox SET state = 'dead' WHERE position = ${LANES + 1}`.execute(db);
    await sql`UPDATE inbox SET started = 1 WHERE position = ${2 * LANES + 2}`.execute(db);
    const lookedAt = performance.now();
    const behind = await rowsBehind(db, KEY, claimed, 500);
    // Some 10 ms; seconds when the inbox is read for each row that is found.
    expect(performance.now() - lookedAt).toBeLessThan(1_000);
    // Nothing behind the dead one, and only up to the one that may have ended its process.
    const all = [...Array.from({ length: 64 }, (_, n) => LANES + n + 1), ...Array.from({ length: 64 }, (_, n) => 2 * LANES + n + 1)];
    expect(behind.map((row) => row.position)).toEqual(all.filter((n) => ![LANES + 1, 2 * LANES + 1, 2 * LANES + 2].includes(n)));
    expect(await rowsBehind(db, KEY, claimed, 10)).toHaveLength(9);
  });

  it('a claim reads the waiting lanes once at most, and of their messages only those that it takes', async () => {
    const { db } = opened;
    await oneEach(db, LANES);
    await db.transaction().execute(async (tx) => {
      const before = await rowsRead(tx);
      const claimed = await claimLanes(tx, KEY, { holder: 'one', now: new Date(), limit: 10, ttlMs: 60_000 });
      expect(claimed.map((row) => row.position)).toEqual(Array.from({ length: 10 }, (_, n) => n + 1));
      expect((await rowsRead(tx)) - before).toBeLessThan(LANES + 100);
    });
  });

  it('a look for lanes that ended their process reads those that are leased, however many wait', async () => {
    const { db } = opened;
    await oneEach(db, LANES);
    // The last ones, so that whoever reads the others first is seen.
    await sql`UPDATE inbox_lanes SET holder = 'one', lease = 1, expires_at = clock_timestamp() WHERE position > ${LANES - 8}`.execute(db);
    await sql`UPDATE inbox SET started = 1 WHERE position > ${LANES - 8}`.execute(db);
    await db.transaction().execute(async (tx) => {
      const before = await rowsRead(tx);
      const suspect = { now: new Date(), suspectPauseMs: 0 };
      expect(await hasSuspects(tx, KEY, suspect)).toBe(true);
      expect(await lookForLanes(tx, KEY, suspect)).toEqual({ due: true, suspects: true });
      expect(await claimLanes(tx, KEY, { ...suspect, holder: 'two', limit: 1, ttlMs: 60_000 })).toMatchObject([
        { position: LANES - 7, started: 2 },
      ]);
      expect((await rowsRead(tx)) - before).toBeLessThan(200);
    });
  });

  it('leases are prolonged without waiting for lanes that somebody has locked, who may wait for the others', async () => {
    const { db } = opened;
    await oneEach(db, 3);
    const claimed = await claimLanes(db, KEY, { holder: 'one', now: new Date(), limit: 3, ttlMs: 60_000 });
    const aggregates = claimed.map((row) => row.aggregate);
    const other = openDatabase<Record<string, never>>({ url: database.urlFor('receipts'), poolSize: 1, applicationName: 'other' }, quiet);
    try {
      await other.db.transaction().execute(async (tx) => {
        await lockLanes(tx, KEY, { holder: 'one', live: false }, [claimed[1]!]);
        await sql`SET statement_timeout = '2s'`.execute(db);
        await renewLanes(db, KEY, 'one', aggregates, 600_000);
      });
      const { rows } = await sql<{ prolonged: boolean }>`
        SELECT expires_at > clock_timestamp() + interval '5 minutes' AS prolonged FROM inbox_lanes ORDER BY position`.execute(db);
      expect(rows.map(({ prolonged }) => prolonged)).toEqual([true, false, true]);
    } finally {
      await other.close();
    }
  });

  it('one look tells whether a claim would take a lane, and whether a lane waits that ended its process', async () => {
    const { db } = opened;
    const look = () => lookForLanes(db, KEY, { now: new Date(), suspectPauseMs: 1_000 });
    const claim = () => claimLanes(db, KEY, { holder: 'one', now: new Date(), limit: 64, ttlMs: 60_000 });
    await sql`INSERT INTO inbox_watermarks (consumer, generation, stream, position) VALUES (${KEY.consumer}, 1, 'PAYMENTS_EVENTS', 1)`.execute(
      db,
    );
    expect(await look()).toEqual({ due: false, suspects: false });
    await sql`
      INSERT INTO inbox (consumer, generation, message_id, epoch, position, subject, aggregate, bytes)
      SELECT ${KEY.consumer}, 1, gen_random_uuid(), 1, n, 'payments.events.payment.succeeded.v1', 'payment:pay_' || n, '' FROM generate_series(1, 2) AS n`.execute(
      db,
    );
    await sql`INSERT INTO inbox_lanes (consumer, generation, aggregate, position) SELECT consumer, generation, aggregate, position FROM inbox`.execute(
      db,
    );
    expect(await look()).toEqual({ due: true, suspects: false });
    expect(await claim()).toHaveLength(1);
    expect(await look()).toEqual({ due: false, suspects: false });
    await sql`UPDATE inbox_lanes SET expires_at = clock_timestamp() WHERE holder IS NOT NULL`.execute(db);
    expect(await look()).toEqual({ due: false, suspects: true });
    expect(await claim()).toEqual([]);
  });
});
