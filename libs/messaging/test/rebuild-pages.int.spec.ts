import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Failpoints, noFailpoints } from '@tidegate/database/failpoints';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { stage } from '../src/outbox.js';
import { type Projection } from '../src/replay/projection.js';
import { ReplayRunner } from '../src/replay/replay.flow.js';
import { findReplay, requestReplay } from '../src/replay/replay.store.js';
import { startProgram } from './support/child.js';
import { totals, totalsProjection } from './support/totals.js';
import { type Member, messageOf, quiet, upTo, World } from './support/world.js';

jest.setTimeout(60_000);

const CONSUMER = 'reconciliation-payments';
const SENT = 250;
const control = { stopping: new AbortController().signal, alive: () => undefined };

let world: World;
let own: Member;
/** What the live tables have, and have to have after each of these. */
let live: unknown[];

beforeAll(async () => {
  world = await World.open();
  const payments = await world.owner('payments');
  own = await world.member('reconciliation');
  await world.subscribe(own, CONSUMER, totals);
  const messages = upTo(SENT).map((n) => messageOf('payments', `pay_${n % 9}`, n));
  await payments.db.transaction().execute((tx) => stage(tx, messages));
  payments.relay.signal();
  await eventually(async () => {
    live = await table();
    expect(live.reduce((sum: number, row) => sum + (row as { messages: number }).messages, 0)).toBe(SENT);
  });
});
afterAll(() => world.close());

async function table(): Promise<unknown[]> {
  return (await sql`SELECT * FROM totals ORDER BY aggregate`.execute(own.db)).rows;
}

async function wanted(): Promise<string> {
  const [id, actor, reason] = [uuidv7(), 'key:spec', 'looks wrong'];
  const by = { actor, reason, swap_actor: actor, swap_reason: reason };
  const wish = { id, consumer: CONSUMER, projection: CONSUMER, from_time: null, from_position: null, requested_at: new Date(), ...by };
  expect(await requestReplay(own.db, wish)).toBeNull();
  return id;
}

function runner(changes: { projection?: Projection; failpoints?: Failpoints } = {}): ReplayRunner {
  const { projection = totalsProjection(), failpoints = noFailpoints } = changes;
  const parts = { ...own, logger: quiet, failpoints, clock: { now: () => new Date() }, instance: `spec-${Math.random()}` };
  return new ReplayRunner({ ...parts, replayable: { projections: [projection] } });
}

async function generations(): Promise<unknown[]> {
  const { rows } = await sql`
    SELECT i.generation = g.live AS live, i.state, i.bytes = '' AS is_empty, count(*)::int AS n
    FROM inbox i JOIN inbox_generations g USING (consumer) GROUP BY 1, 2, 3`.execute(own.db);
  return rows;
}

describe('A rebuild whose messages come in order', () => {
  it('handles them as it reads them, and its rows are as those of any other generation', async () => {
    const handledAs: string[] = [];
    const all: Projection = {
      ...totalsProjection({
        async handle(tx, message) {
          const { rows } = await sql<{ state: string }>`SELECT state FROM event_replays WHERE finished_at IS NULL`.execute(tx);
          handledAs.push(rows[0]?.state ?? '');
          await totals.handle(tx, message, undefined);
        },
      }),
    };
    const id = await wanted();
    await runner({ projection: all }).runOnce(control);

    expect(await findReplay(own.db, id)).toMatchObject({ state: 'done', read: SENT, handled: SENT, missing: 0, extra: 0, different: 0 });
    expect(handledAs).toEqual(upTo(SENT).map(() => 'reading'));
    expect(await generations()).toEqual([{ live: true, state: 'done', is_empty: true, n: SENT }]);
    expect(await table()).toEqual(live);
  });

  it('keeps the messages where the projection looks into them afterwards', async () => {
    await wanted();
    await runner({ projection: { ...totalsProjection(), unaccounted: async () => [] } }).runOnce(control);
    expect(await generations()).toEqual([{ live: true, state: 'done', is_empty: false, n: SENT }]);
    expect(await table()).toEqual(live);
  });

  it('comes out equal when its process is killed with SIGKILL in the middle of it, again and again', async () => {
    await sql`UPDATE totals SET sum = 999 WHERE aggregate = 'pay_1'`.execute(own.db);
    const id = await wanted();
    const setting = { nats: world.nats.url('reconciliation'), database: world.database.urlFor('reconciliation') };
    for (const failpoint of ['page.before_commit:kill:1', 'page.after_commit:kill:1', 'page.after_commit:kill:2']) {
      const { ended } = startProgram(world, 'replay.child.ts', { ...setting, failpoint: `reconciliation.event_replay.${failpoint}` });
      expect({ failpoint, signal: (await ended).signal }).toEqual({ failpoint, signal: 'SIGKILL' });
      // Instead of waiting for the end of its lease.
      await sql`UPDATE event_replays SET lease_until = '-infinity' WHERE id = ${id}`.execute(own.db);
    }
    expect(await runner().runOnce(control)).toBe(1);
    expect(await findReplay(own.db, id)).toMatchObject({ state: 'done', begun: 4, handled: SENT, missing: 0, extra: 0, different: 1 });
    expect(await generations()).toEqual([{ live: true, state: 'done', is_empty: true, n: SENT }]);
    expect(await table()).toEqual(live);
  });

  it('stops at its next page when another process has taken it up, which then brings it to its end alone', async () => {
    const id = await wanted();
    const pages: string[] = [];
    const takenUp: Failpoints = {
      async hit(name) {
        if (!name.endsWith('.page.after_commit')) return;
        pages.push(name);
        await sql`UPDATE event_replays SET holder = ${uuidv7()}, lease_until = '-infinity' WHERE id = ${id}`.execute(own.db);
      },
    };
    await runner({ failpoints: takenUp }).runOnce(control);
    expect(pages).toHaveLength(1);
    expect(await findReplay(own.db, id)).toMatchObject({ state: 'reading', failure: null });

    await runner().runOnce(control);
    expect(await findReplay(own.db, id)).toMatchObject({ state: 'done', begun: 2, missing: 0, extra: 0, different: 0 });
    expect(await table()).toEqual(live);
  });
});
