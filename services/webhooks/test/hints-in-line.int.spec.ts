import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { sql } from 'kysely';
import { dueHints, oldestUnpublishedSeconds } from '../src/stripe-event/stripe-event.store.js';
import { openWorkbench, type Workbench } from './workbench.js';

jest.setTimeout(60_000);

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

/** Hints that wait, each about an object of its own, received so many minutes ago. */
async function wait(name: string, count: number, minutesAgo: number, replayed: boolean): Promise<void> {
  await sql`
    INSERT INTO stripe_events (stripe_event_id, created, event_type, object_id, livemode, payload, source, is_hint, received_at, replay_job)
    SELECT 'evt_' || ${name} || n, clock_timestamp(), 'invoice.updated', ${name} || n, false, '', 'webhook', true,
      clock_timestamp() - ${minutesAgo} * interval '1 minute', CASE WHEN ${replayed}::boolean THEN gen_random_uuid()::text END
    FROM generate_series(1, ${count}::int) AS n`.execute(bench.db);
}

describe('Given more replayed hints than a pass takes, all of them older than what comes now', () => {
  it('those that come now are in the next pass, and replayed ones take the places that are left', async () => {
    await wait('in_old', 400, 60, true);
    await wait('in_new', 30, 1, false);

    const objects = async (limit: number) => (await dueHints(bench.db, limit, new Date())).map(({ object_id }) => object_id);
    const taken = await objects(200);
    expect(taken).toHaveLength(200);
    expect(taken.filter((id) => id?.startsWith('in_new'))).toHaveLength(30);
    expect((await objects(20)).every((id) => id?.startsWith('in_new'))).toBe(true);
  });
});

describe('Given hints that were received newest first, as the sweep is told of them', () => {
  it('the oldest of them says how long they have waited', async () => {
    await sql`DELETE FROM stripe_events`.execute(bench.db);
    const now = new Date();
    await sql`
      INSERT INTO stripe_events (stripe_event_id, created, event_type, livemode, payload, source, is_hint, received_at)
      SELECT 'evt_' || n, ${now}::timestamptz - n * interval '1 minute', 'invoice.updated', false, '', 'sweep', true, ${now}::timestamptz - interval '1 minute' + n * interval '1 second'
      FROM generate_series(1, 50) AS n`.execute(bench.db);
    expect(await oldestUnpublishedSeconds(bench.db, now)).toBeCloseTo(3_000, 0);
  });
});
