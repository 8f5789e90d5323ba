import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { sql } from 'kysely';
import { acquirePayments, wishRefresh } from '../src/work/work.store.js';
import { type PaymentsWorld, paymentsWorld } from './payments-world.js';
import { rowsRead } from './rows-read.js';

jest.setTimeout(60_000);

let world: PaymentsWorld;
afterEach(() => world.close());

const queue = async (tenant: string, count: number, body: object = {}): Promise<string[]> => {
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) ids.push(world.json(await world.create({ ...body }, { tenant, respondAsync: true })).id);
  return ids;
};
const take = (limit: number, last?: string, db = world.db) => acquirePayments(db, 'spec#loop1', world.clock.now(), limit, last);
const taken = async (limit: number, last?: string) => (await take(limit, last)).map(({ payment_id }) => payment_id);

describe('Payments that are queued', () => {
  it('are carried on for tenants in turn: what one has queued behind all of another’s does not expire there', async () => {
    world = await paymentsWorld({ concurrency: 1 });
    const busy = await queue('busy', 8);
    const [own = ''] = await queue('other', 1, { not_after: new Date(world.clock.now().getTime() + 60_000).toISOString() });
    // As slow as a limit, or a Stripe that is slow, lets them through.
    for (let pass = 0; pass < 9; pass += 1) {
      await world.parts.carryOnOnce(60_000);
      world.advance(10_000);
    }
    await world.settle();
    expect((await world.get(own, 'other')).status).toBe('succeeded');
    for (const id of busy) expect((await world.get(id, 'busy')).status).toBe('succeeded');
    for (const id of [own, ...busy]) expect(world.intentsOf(id)).toHaveLength(1);
  });

  it('go one of each tenant before two of any, each tenant’s in the order of acceptance, and a pass goes on where the last one ended', async () => {
    world = await paymentsWorld();
    const [a, b, c] = [await queue('a', 4), await queue('b', 2), await queue('c', 1)];
    const first = await take(2);
    expect(first.map(({ payment_id, tenant }) => [tenant, payment_id])).toEqual([
      ['a', a[0]],
      ['b', b[0]],
    ]);
    expect(await taken(3, 'b')).toEqual([c[0], a[1], b[1]]);
    expect(await taken(9, 'b')).toEqual(a.slice(2));
    expect(await taken(9)).toEqual([]);
  });

  it('leave no place empty: who has more gets what others do not need, and whose turn was the last comes last', async () => {
    world = await paymentsWorld();
    const [a, b, c] = [await queue('a', 9), await queue('b', 1), await queue('c', 9)];
    const held = await take(8, 'b');
    expect(held.map(({ payment_id }) => payment_id)).toEqual([...b, ...a.slice(0, 3), ...c.slice(0, 4)]);
    expect((await take(1, 'c')).map(({ tenant }) => tenant)).toEqual(['a']);
  });

  it('are passed by while they are in hand or turned away by a limit, and each tenant’s next ones are taken', async () => {
    world = await paymentsWorld();
    const [a, b] = [await queue('a', 3), await queue('b', 3)];
    expect(await taken(2)).toEqual([a[0], b[0]]);
    const later = new Date(world.clock.now().getTime() + 60_000);
    await sql`UPDATE payment_work SET not_before = ${later} WHERE payment_id IN (${a[1]}, ${b[1]}, ${b[2]})`.execute(world.db);
    expect(await taken(9)).toEqual([a[2]]);
    await sql`UPDATE payment_work SET lease_until = clock_timestamp()`.execute(world.db);
    expect((await take(9)).map(({ payment_id, takenOver }) => [payment_id, takenOver])).toEqual([
      [b[0], true],
      [a[0], true],
      [a[2], true],
    ]);
  });

  it('are taken once each, by several at once', async () => {
    world = await paymentsWorld({ replicas: 2 });
    const all = [...(await queue('a', 20)), ...(await queue('b', 20)), ...(await queue('c', 2))];
    const rounds = await Promise.all(
      Array.from({ length: 6 }, async (_, n) => {
        const mine: string[] = [];
        for (let last = ''; ;) {
          const held = await take(3, last, world.replicas[n % 2]!.db);
          if (held.length === 0) return mine;
          mine.push(...held.map(({ payment_id }) => payment_id));
          last = held.at(-1)!.tenant;
        }
      }),
    );
    const left = await taken(50);
    expect([...rounds.flat(), ...left].toSorted()).toEqual(all.toSorted());
  });

  it('pass by what somebody else has locked', async () => {
    world = await paymentsWorld();
    const [a, b] = [await queue('a', 3), await queue('b', 1)];
    await world.db.transaction().execute(async (tx) => {
      await sql`SELECT FROM payment_work WHERE payment_id IN (${a[0]}, ${b[0]}) FOR UPDATE`.execute(tx);
      expect(await taken(3)).toEqual([a[1], a[2]]);
    });
    expect(await taken(3)).toEqual([a[0], b[0]]);
  });

  it('keep no place for a tenant all of whose own somebody else has locked', async () => {
    world = await paymentsWorld();
    const [a, b] = [await queue('a', 1), await queue('b', 1)];
    await world.db.transaction().execute(async (tx) => {
      await sql`SELECT FROM payment_work WHERE payment_id = ${a[0]} FOR UPDATE`.execute(tx);
      expect(await taken(1)).toEqual(b);
    });
    expect(await taken(1)).toEqual(a);
  });

  it('have their turns, too, when a process of the version before wrote them; what is wished for is its tenant’s', async () => {
    world = await paymentsWorld();
    const old = await queue('a', 2);
    await sql`UPDATE payment_work SET tenant = DEFAULT`.execute(world.db);
    const [own] = await queue('b', 1);
    expect(await taken(2)).toEqual([own, old[0]]);
    expect(await taken(2)).toEqual([old[1]]);
    const done = world.json(await world.create({}, { tenant: 'c' })).id;
    await wishRefresh(world.db, done, world.clock.now());
    expect(await take(1)).toMatchObject([{ payment_id: done, tenant: 'c' }]);
  });

  it('have each tenant’s turns, too, when they were queued before the migration', async () => {
    world = await paymentsWorld();
    const [busy, own] = [await queue('busy', 3), await queue('other', 1)];
    await sql`UPDATE payment_work SET tenant = DEFAULT`.execute(world.db);
    await sql.raw(readFileSync(new URL('../migrations/0035_tenants_of_what_waits.sql', import.meta.url), 'utf8')).execute(world.db);
    expect(await taken(2)).toEqual([busy[0], own[0]]);
    expect(await taken(9)).toEqual(busy.slice(1));
  });

  it('are no more than there are places, by a plan that the connection made while there were none', async () => {
    world = await paymentsWorld();
    await world.analyzedByHand('payment_work');
    await world.analyze('payment_work');
    const now = world.clock.now();
    await world.db.transaction().execute(async (tx) => {
      for (let n = 0; n < 12; n += 1) expect(await take(10, '', tx)).toEqual([]);
      await sql`
        INSERT INTO payment_work (payment_id, due_at, since, tenant)
        SELECT 'pay_' || n, ${now}, ${now}, 'busy' FROM generate_series(1, 1000) AS n`.execute(tx);
      expect(await take(10, '', tx)).toHaveLength(10);
    });
  });

  it.each([
    ['just filled', 0],
    ['analyzed', 0],
    ['analyzed before they were due', 0],
    ['just filled', 2000],
    ['analyzed', 2000],
    ['analyzed before they were due', 2000],
  ])('are found without reading all of them in a table that was %s, where others are of %i tenants', async (how, others) => {
    world = await paymentsWorld();
    await world.analyzedByHand('payment_work');
    const now = new Date(world.clock.now().getTime() + 1000);
    const fill = (dueAt: Date) =>
      sql`
      INSERT INTO payment_work (payment_id, due_at, since, tenant)
      SELECT 'pay_' || n, ${dueAt}::timestamptz - n % 2 * interval '1 ms', ${now}::timestamptz, 'busy' FROM generate_series(1, 20000) AS n
      UNION ALL SELECT 'pay_of' || n, ${dueAt}, ${now}, 'other' || n FROM generate_series(1, ${others}::int) AS n
      ON CONFLICT (payment_id) DO UPDATE SET due_at = excluded.due_at`.execute(world.db);
    await fill(how.endsWith('due') ? new Date(now.getTime() + 3_600_000) : now);
    if (how.startsWith('analyzed')) await world.analyze('payment_work');
    if (how.endsWith('due')) await fill(now);
    const read = await world.db.transaction().execute(async (tx) => {
      const begun = await rowsRead(tx, 'payment_work');
      const held = await acquirePayments(tx, 'spec#loop1', now, 10);
      expect([held.length, new Set(held.map(({ tenant }) => tenant)).size]).toEqual([10, others === 0 ? 1 : 10]);
      return (await rowsRead(tx, 'payment_work')) - begun;
    });
    expect(read).toBeLessThan(200);
  });
});
