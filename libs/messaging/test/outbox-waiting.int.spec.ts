import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Database, openDatabase } from '@tidegate/database/database';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { sql } from 'kysely';
import { readOutboxWaiting } from '../src/outbox-rows.js';
import { messagingMigration } from './support/migration.js';
import { quiet } from './support/world.js';

const WAITING = 5_000;

jest.setTimeout(60_000);

describe('Given an outbox with many rows that have no position yet', () => {
  let database: TestDatabase;
  let opened: Database<Record<string, never>>;
  beforeEach(async () => {
    database = await postgresForTests({ migrate: messagingMigration });
    opened = openDatabase({ url: database.urlFor('payments'), poolSize: 1, applicationName: 'outbox' }, quiet);
  });
  afterEach(async () => {
    await opened.close();
    await database.drop();
  });

  it('who asks for its head is told how long the oldest has waited without reading them all', async () => {
    await sql`
      INSERT INTO outbox (message_id, aggregate, subject, bytes, staged_at)
      SELECT gen_random_uuid(), 'pay_' || n, 'payments.events.payment.succeeded.v1', '', clock_timestamp() - interval '1 minute' + n * interval '1 ms'
      FROM generate_series(1, ${WAITING}::int) AS n`.execute(opened.db);
    await opened.db.transaction().execute(async (tx) => {
      const { unstamped_ms } = await readOutboxWaiting(tx);
      expect(unstamped_ms).toBeGreaterThanOrEqual(59_000);
      const { rows } = await sql<{ read: number }>`
        SELECT (seq_tup_read + idx_tup_fetch)::int AS read FROM pg_stat_xact_user_tables WHERE schemaname = 'payments' AND relname = 'outbox'`.execute(
        tx,
      );
      expect(rows[0]!.read).toBeLessThan(100);
    });
  });
});
