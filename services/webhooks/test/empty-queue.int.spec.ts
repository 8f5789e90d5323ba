import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import pg from 'pg';
import { anyDelivery } from '../src/stripe-event/stripe-event.store.js';
import { openWorkbench, type Workbench } from './workbench.js';

const PUBLISHED = 14_000;
const HINTS = 6_000;

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
}, 60_000);
afterAll(() => bench.close());

async function withOwner({ database }: Workbench, statement: string): Promise<void> {
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  await owner.query(statement);
  await owner.end();
}

describe('Given many published deliveries, and hints that wait for Stripe', () => {
  it('whoever asks whether a delivery waits is told so without reading the table', async () => {
    const { db } = bench;
    await sql`
      INSERT INTO stripe_events (stripe_event_id, created, event_type, livemode, payload, source, is_hint, published_at)
      SELECT 'evt_' || n, clock_timestamp(), 'charge.updated', false, '', 'webhook', n > ${PUBLISHED}::int,
        CASE WHEN n <= ${PUBLISHED}::int THEN clock_timestamp() END
      FROM generate_series(1, ${PUBLISHED + HINTS}::int) AS n`.execute(db);
    // Only their owner may make statistics.
    await withOwner(bench, 'ANALYZE webhooks.stripe_events');
    await db.transaction().execute(async (tx) => {
      expect(await anyDelivery(tx, new Date())).toBe(false);
      const { rows } = await sql<{ read: number }>`
        SELECT sum(seq_tup_read + idx_tup_fetch)::int AS read FROM pg_stat_xact_user_tables WHERE relname LIKE 'stripe\\_events\\_%'`.execute(
        tx,
      );
      expect(rows[0]!.read).toBeLessThan(100);
    });
  });
});
