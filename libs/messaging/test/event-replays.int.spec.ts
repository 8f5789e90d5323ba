import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Failpoints, noFailpoints } from '@tidegate/database/failpoints';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { discardDeadLetter, listDeadLetters, replayDeadLetter } from '../src/dead-letters.js';
import { stage } from '../src/outbox.js';
import { type Handler, PermanentFailure, type Subscriber } from '../src/subscriber.js';
import { ReplayRunner } from '../src/replay/replay.flow.js';
import { claimReplay, findReplay, listDifferences, requestReplay, wantStop, wantSwap } from '../src/replay/replay.store.js';
import { startProgram } from './support/child.js';
import { totals, totalsProjection } from './support/totals.js';
import { type Member, messageOf, type Publish, quiet, upTo, World } from './support/world.js';

jest.setTimeout(60_000);

const CONSUMER = 'reconciliation-payments';
const control = { stopping: new AbortController().signal, alive: () => undefined };
const CORRUPTED = [
  { table: 'totals', key: { aggregate: 'quiet_1' }, kind: 'different', live: { sum: 999 }, replayed: { sum: 1 } },
  { table: 'totals', key: { aggregate: 'quiet_2' }, kind: 'missing', live: null, replayed: { aggregate: 'quiet_2', messages: 1, sum: 2 } },
  { table: 'totals', key: { aggregate: 'stranger' }, kind: 'extra', live: { aggregate: 'stranger', messages: 1, sum: 1 }, replayed: null },
];

let world: World;
let own: Member;
let payments: Member & { publish: Publish };
let publish: Publish;
let subscriber: Subscriber;
/** Messages with these numbers cannot be handled. */
const poisonous = new Set<number>();
const live: Handler = {
  ...totals,
  async handle(tx, message, prepared) {
    if (poisonous.has((message.envelope.data as { n: number }).n)) throw new PermanentFailure('poison');
    await totals.handle(tx, message, prepared);
  },
};
let sent = 0;

beforeAll(async () => {
  world = await World.open();
  payments = await world.owner('payments');
  ({ publish } = payments);
  own = await world.member('reconciliation');
  subscriber = await world.subscribe(own, CONSUMER, live);
  for (const n of upTo(4)) await send(`quiet_${n}`, n);
  await handled();
});
afterAll(() => world.close());

async function send(aggregate: string, n: number): Promise<void> {
  await publish(aggregate, n);
  sent += 1;
}

/** Everything that was sent is handled, or set aside. */
const handled = (setAside = 0) =>
  eventually(async () => {
    const { rows } = await sql<{ messages: number }>`SELECT coalesce(sum(messages), 0)::int AS messages FROM totals`.execute(own.db);
    expect(rows[0]?.messages).toBe(sent - setAside);
  });

function runner(handler?: Pick<Handler, 'handle'>, failpoints: Failpoints = noFailpoints): ReplayRunner {
  const parts = { ...own, logger: quiet, failpoints, clock: { now: () => new Date() }, instance: `spec-${Math.random()}` };
  return new ReplayRunner({ ...parts, replayable: { projections: [totalsProjection(handler)] } });
}

async function wanted(changes: { swap?: true; from_time?: Date; from_position?: number } = {}): Promise<string> {
  const { swap, from_time = null, from_position = null } = changes;
  const [id, actor, reason] = [uuidv7(), 'key:spec', 'looks wrong'];
  const by = swap ? { swap_actor: actor, swap_reason: reason } : { swap_actor: null, swap_reason: null };
  const wish = { id, consumer: CONSUMER, projection: CONSUMER, from_time, from_position, actor, reason, requested_at: new Date(), ...by };
  expect(await requestReplay(own.db, wish)).toBeNull();
  return id;
}

async function corrupt(): Promise<void> {
  await sql`UPDATE totals SET sum = 999 WHERE aggregate = 'quiet_1'`.execute(own.db);
  await sql`DELETE FROM totals WHERE aggregate = 'quiet_2'`.execute(own.db);
  await sql`INSERT INTO totals VALUES ('stranger', 1, 1)`.execute(own.db);
}

async function table(): Promise<unknown[]> {
  const { rows } = await sql`SELECT * FROM totals ORDER BY aggregate`.execute(own.db);
  return rows;
}

async function leftovers(): Promise<unknown[]> {
  const { rows } = await sql`SELECT table_name FROM information_schema.tables WHERE table_schema = 'reconciliation_rebuild'
    UNION ALL SELECT consumer || generation FROM inbox_watermarks w WHERE generation <> (SELECT live FROM inbox_generations g WHERE g.consumer = w.consumer)`.execute(
    own.db,
  );
  return rows;
}

const holderOf = async (id: string): Promise<unknown> =>
  (await sql<{ holder: string | null }>`SELECT holder FROM event_replays WHERE id = ${id}`.execute(own.db)).rows[0]?.holder;

async function lockWaits(): Promise<number> {
  const { rows } = await sql`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(
    own.db,
  );
  return rows.length;
}

const busy = async (): Promise<number> => {
  const { rows } = await sql<{ busy: number }>`SELECT count(*) AS busy FROM totals WHERE aggregate LIKE 'busy%'`.execute(own.db);
  return rows[0]?.busy ?? 0;
};

/** Messages come as fast as they are handled until the answered function is called. It has begun when this answers. */
async function traffic(): Promise<() => Promise<void>> {
  let on = true;
  const some = async (n: number) => {
    for (const m of upTo(10)) await send(`busy_${m % 5}`, n + m);
    await handled();
  };
  await some(0);
  const flowing = (async () => {
    for (let n = 10; on; n += 10) await some(n);
  })();
  return async () => {
    on = false;
    await flowing;
  };
}

describe('Given three rows that were changed by hand', () => {
  it('a replay names exactly these while messages keep coming, and changes nothing', async () => {
    await corrupt();
    const stop = await traffic();
    const id = await wanted();
    expect(await runner().runOnce(control)).toBe(1);
    expect(await findReplay(own.db, id)).toMatchObject({ state: 'ready', missing: 1, extra: 1, different: 1, failure: null });
    expect(await listDifferences(own.db, id)).toEqual(CORRUPTED);
    expect(await table()).toEqual(expect.arrayContaining([{ aggregate: 'quiet_1', messages: 1, sum: 999 }]));
    await stop();
  });

  it('one that another wish replaces is swapped in under traffic: nobody sees a row gone, none is lost and none counts twice', async () => {
    const at = runner();
    const id = await wanted();
    await at.runOnce(control);
    const stop = await traffic();
    const seen: number[] = [];
    let watching = true;
    const watched = (async () => {
      while (watching) seen.push(await busy());
    })();

    expect(await wantSwap(own.db, id, { actor: 'key:spec', reason: 'it is wrong' })).toBe(true);
    expect(await at.runOnce(control)).toBe(1);
    watching = false;
    await watched;
    await stop();

    expect(await findReplay(own.db, id)).toMatchObject({ state: 'done', missing: 1, extra: 1, different: 1 });
    expect(new Set(seen)).toEqual(new Set([5]));
    await handled();
    expect((await table()).slice(-4)).toEqual(upTo(4).map((n) => ({ aggregate: `quiet_${n}`, messages: 1, sum: n })));
    expect(await leftovers()).toEqual([]);
    const { rows } = await sql`SELECT actor, action, target, reason, details ->> 'different' AS different FROM operator_actions`.execute(
      own.db,
    );
    expect(rows).toEqual([{ actor: 'key:spec', action: 'event_replay.swap', target: CONSUMER, reason: 'it is wrong', different: '1' }]);
    expect((await subscriber.watermark()).position).toBe(sent);
  });

  it('one with a place to begin is about what was touched since, by time and by position, and leaves the rest as it is', async () => {
    const since = new Date();
    await send('quiet_3', 3);
    await handled();
    await sql`UPDATE totals SET sum = 999 WHERE aggregate IN ('quiet_3', 'quiet_4')`.execute(own.db);
    const only3 = [{ table: 'totals', key: { aggregate: 'quiet_3' }, kind: 'different', live: { sum: 999 }, replayed: { sum: 6 } }];
    for (const from of [{ from_time: since }, { from_position: sent }]) {
      const id = await wanted(from);
      await runner().runOnce(control);
      expect(await listDifferences(own.db, id)).toEqual(only3);
    }
    const generation = (await sql<{ live: number }>`SELECT live FROM inbox_generations`.execute(own.db)).rows[0]?.live;
    await wanted({ from_position: sent, swap: true });
    await runner().runOnce(control);
    expect((await table()).slice(-2)).toEqual([
      { aggregate: 'quiet_3', messages: 2, sum: 6 },
      { aggregate: 'quiet_4', messages: 1, sum: 999 },
    ]);
    expect((await sql`SELECT live FROM inbox_generations`.execute(own.db)).rows).toEqual([{ live: generation }]);
    expect(await leftovers()).toEqual([]);
    await sql`UPDATE totals SET sum = 4 WHERE aggregate = 'quiet_4'`.execute(own.db);
  });
});

describe('What a replay leaves to its next attempt', () => {
  it('is all of it when its process ends while it reads: that is no failure', async () => {
    const ending = new AbortController();
    const id = await wanted();
    await runner().runOnce({ stopping: ending.signal, alive: () => ending.abort() });
    expect(await findReplay(own.db, id)).toMatchObject({ state: 'reading', begun: 1, failure: null });
    expect(await holderOf(id)).toBeNull();
    await runner().runOnce(control);
    expect(await findReplay(own.db, id)).toMatchObject({ state: 'ready', begun: 2 });
  });

  it('is all of it when a message loses a race in the database: it can be projected later', async () => {
    const id = await wanted();
    const loses: Pick<Handler, 'handle'> = {
      handle: async (tx) => void (await sql`DO $$ BEGIN RAISE EXCEPTION 'lost a race' USING ERRCODE = '40001'; END $$`.execute(tx)),
    };
    await expect(runner(loses).runOnce(control)).rejects.toThrow('lost a race');
    expect(await findReplay(own.db, id)).toMatchObject({ state: 'replaying', failure: null });
    await runner().runOnce(control);
    expect(await findReplay(own.db, id)).toMatchObject({ state: 'ready', begun: 2 });
  });
});

describe('What a replay must not do', () => {
  it('make those who write wait until everything is handled that came while it was ready', async () => {
    const at = runner();
    const id = await wanted();
    await at.runOnce(control);
    const before = (await findReplay(own.db, id))!.handled;
    for (const n of upTo(5)) await send('late', n);
    await handled();
    await wantSwap(own.db, id, { actor: 'key:spec', reason: 'it is wrong' });
    await at.runOnce(control);
    expect(await findReplay(own.db, id)).toMatchObject({ state: 'done', handled: before + 5 });
  });

  it('be taken up by another process while what it leaves behind is removed', async () => {
    const id = await wanted();
    await runner().runOnce(control);
    await wantStop(own.db, id);
    let cleaning: Promise<number> | undefined;
    await own.db.transaction().execute(async (tx) => {
      await sql`SELECT 1 FROM reconciliation_rebuild.totals`.execute(tx);
      cleaning = runner().runOnce(control);
      await eventually(async () => expect(await lockWaits()).toBeGreaterThan(0));
      const expired = sql`UPDATE event_replays SET lease_until = '-infinity' WHERE id = (SELECT id FROM event_replays WHERE id = ${id} FOR UPDATE SKIP LOCKED)`;
      await expired.execute(own.db);
      expect(await claimReplay(own.db, { holder: uuidv7(), instance: 'another', now: new Date() })).toBeNull();
    });
    await cleaning;
    expect(await findReplay(own.db, id)).toMatchObject({ state: 'stopped' });
    expect(await leftovers()).toEqual([]);
  });

  it('leave the planner in the belief that the new generation is empty: it would read all of it for every page', async () => {
    const before = (await sql<{ now: Date }>`SELECT clock_timestamp() AS now`.execute(own.db)).rows[0]!.now;
    await wanted({ swap: true });
    await runner().runOnce(control);
    await eventually(async () => {
      const { rows } = await sql<{ known: boolean }>`
        SELECT last_analyze > ${before} AS known FROM pg_stat_user_tables WHERE schemaname = current_schema() AND relname = 'inbox'`.execute(
        own.db,
      );
      expect(rows).toEqual([{ known: true }]);
    });
  });

  it('handle what was set aside: dead stays dead and can be handled later, discarded stays undone', async () => {
    poisonous.add(100).add(200);
    await send('dead', 100);
    await send('dead', 101);
    await send('given_up', 200);
    await eventually(async () => expect(await listDeadLetters(own.db)).toHaveLength(2));
    const [dead, givenUp] = await listDeadLetters(own.db);
    await discardDeadLetter(own.db, CONSUMER, givenUp!.message_id, 'not needed');

    const id = await wanted({ swap: true });
    await runner().runOnce(control);

    expect(await findReplay(own.db, id)).toMatchObject({ state: 'done', missing: 0, extra: 0, different: 0 });
    expect((await listDeadLetters(own.db)).map((one) => one.message_id)).toEqual([dead!.message_id]);
    poisonous.clear();
    await replayDeadLetter(own.db, CONSUMER, dead!.message_id);
    await handled(1);
    expect(await table()).toEqual(expect.arrayContaining([{ aggregate: 'dead', messages: 2, sum: 201 }]));
  });

  it('go on when a person stops it, or change anything when a message cannot be projected', async () => {
    const before = await table();
    const id = await wanted({ swap: true });
    let stopped: Promise<boolean> | undefined;
    const whileStopped = {
      async handle() {
        stopped ??= wantStop(own.db, id);
        await eventually(async () => expect(await lockWaits()).toBeGreaterThan(0));
      },
    };
    // Postgres does not hand on a row in the order of those who wait for it: on a busy machine the next pages, and the swap, may come before the person.
    const stopsBetweenPages: Failpoints = { hit: async (name) => void (name.endsWith('.page.after_commit') && (await stopped)) };
    await runner(whileStopped, stopsBetweenPages).runOnce(control);
    expect(await stopped).toBe(true);
    expect(await findReplay(own.db, id)).toMatchObject({ state: 'stopped' });

    const failing = await wanted({ swap: true });
    await runner({ handle: () => Promise.reject(new Error('no such column')) }).runOnce(control);
    expect(await findReplay(own.db, failing)).toMatchObject({
      state: 'failed',
      failure: expect.stringMatching(/position 1\) .*no such column/),
    });
    expect(await table()).toEqual(before);
    expect(await leftovers()).toEqual([]);
  });

  it('end with its process: killed with SIGKILL at each event_replay failpoint, another one drops what it built and begins again', async () => {
    await corrupt();
    const id = await wanted({ swap: true });
    const setting = { nats: world.nats.url('reconciliation'), database: world.database.urlFor('reconciliation') };
    for (const failpoint of ['page.before_commit', 'page.after_commit', 'swap.before_commit', 'swap.after_commit']) {
      const { ended } = startProgram(world, 'replay.child.ts', {
        ...setting,
        failpoint: `reconciliation.event_replay.${failpoint}:kill:1`,
      });
      expect({ failpoint, signal: (await ended).signal }).toEqual({ failpoint, signal: 'SIGKILL' });
      expect((await table()).some((row) => (row as { aggregate: string }).aggregate === 'stranger')).toBe(
        failpoint !== 'swap.after_commit',
      );
      // Instead of waiting for the end of its lease.
      await sql`UPDATE event_replays SET lease_until = '-infinity' WHERE id = ${id}`.execute(own.db);
    }
    expect(await runner().runOnce(control)).toBe(1);
    expect(await findReplay(own.db, id)).toMatchObject({ state: 'done', missing: 1, extra: 1, different: 1, begun: 4 });
    expect(await leftovers()).toEqual([]);
    await send('quiet_1', 1);
    await handled(1);
  });

  it('stop at a message that Postgres could not store as jsonb, when it looks for what occurred since a time', async () => {
    const since = new Date();
    const message = messageOf('payments', 'nul', 1);
    const envelope = { ...message.envelope, data: { n: 1, note: 'a\u0000b' } };
    await payments.db.transaction().execute((tx) => stage(tx, [{ ...message, envelope }]));
    await send('quiet_4', 1);
    await eventually(async () => expect(await table()).toContainEqual({ aggregate: 'nul', messages: 1, sum: 1 }));
    await sql`DELETE FROM totals WHERE aggregate = 'nul'`.execute(own.db);
    const id = await wanted({ from_time: since });
    await runner().runOnce(control);
    expect(await findReplay(own.db, id)).toMatchObject({ state: 'ready', missing: 1, extra: 0, different: 0 });
  });
});
