import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { type UsageComparison } from '@tidegate/contracts/rpc/usage-comparison';
import { sql } from 'kysely';
import { rebuildUsageCounters } from '../src/usage/usage.rebuild.js';
import { type Sent, usageWorld } from './usage-world.js';

jest.setTimeout(60_000);

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Until then a time may be that of usage from before, by a clock that goes ahead. */
const AHEAD_MS = 5 * 60_000;
const TABLES = ['usage_events', 'usage_counters', 'usage_reports'] as const;

let world: Awaited<ReturnType<typeof usageWorld>>;
beforeAll(async () => {
  world = await usageWorld();
});
afterAll(() => world.close());

/** A backup of what is on record of usage. `restore` makes it the record again, as `tidegate restore load` does. */
async function backup(): Promise<{ restore(): Promise<void> }> {
  const point = world.clock.now();
  const rows = await Promise.all(
    TABLES.map(async (table) => (await sql<{ row: unknown }>`SELECT to_jsonb(t) AS row FROM ${sql.table(table)} t`.execute(world.db)).rows),
  );
  return {
    restore: async () => {
      for (const [nth, table] of TABLES.entries()) {
        await sql`DELETE FROM ${sql.table(table)}`.execute(world.db);
        const { rows: columns } = await sql<{ name: string }>`
          SELECT attname AS name FROM pg_attribute WHERE attrelid = ${table}::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`.execute(
          world.db,
        );
        const stored = sql.join(columns.map(({ name }) => sql.ref(name)));
        await sql`INSERT INTO ${sql.table(table)} (${stored}) SELECT ${stored} FROM
          (SELECT (jsonb_populate_record(NULL::${sql.table(table)}, r)).* FROM jsonb_array_elements(${JSON.stringify(rows[nth]?.map(({ row }) => row))}::jsonb) AS r) AS kept`.execute(
          world.db,
        );
      }
      await sql`SELECT database_was_restored(${point}, ${world.clock.now()})`.execute(world.db);
    },
  };
}

let names = 0;
const used = async (of: Pick<Sent, 'customer' | 'meter'>, values: readonly number[]): Promise<Sent[]> => {
  const events = values.map((value) => ({ ...of, id: `lost-${(names += 1)}`, value, at: world.clock.now().toISOString() }));
  await world.record(events);
  return events;
};
/** All that Stripe will bill. */
const billed = ({ meter, customer }: Pick<Sent, 'customer' | 'meter'>) =>
  world.taken(meter, customer).reduce((sum, { value }) => sum + value, 0);
const some = async (formula: 'sum' | 'count' = 'sum') => ({ customer: await world.customer(), meter: await world.meter(formula) });
const later = (ms: number) => world.advance(ms);
const differences = async (of: Pick<Sent, 'customer' | 'meter'>) => {
  const from = new Date(world.clock.now().getTime() - 3 * DAY_MS).toISOString();
  const body = { from, to: world.clock.now().toISOString(), counter: of };
  return world.json<UsageComparison>(await world.send(RPC.usageCompare, { body })).differences;
};

describe('Usage whose report is not on record after a restore a day later', () => {
  it.each(['sum', 'count'] as const)('of a meter with %s is not billed again', async (formula) => {
    const of = await some(formula);
    await used(of, [1, 1]);
    const before = await backup();
    await world.reported();
    expect(billed(of)).toBe(2);
    later(25 * HOUR_MS);
    await before.restore();
    await world.reported(3 * HOUR_MS);
    expect(billed(of)).toBe(2);
    expect(await world.differences()).toEqual([]);
  });

  it.each(['sum', 'count'] as const)('of a meter with %s is billed when it never was', async (formula) => {
    const of = await some(formula);
    await used(of, [1, 1]);
    const before = await backup();
    later(25 * HOUR_MS);
    await before.restore();
    await world.reported(3 * HOUR_MS);
    expect(billed(of)).toBe(2);
  });

  it('waits until the summary shows what was sent a moment before the loss', async () => {
    const of = await some();
    await used(of, [5]);
    const before = await backup();
    await world.reported();
    await before.restore();
    await world.reported(50 * 60_000);
    expect(world.taken(of.meter, of.customer)).toHaveLength(1);
    await world.reported(2 * HOUR_MS);
    expect(billed(of)).toBe(5);
  });
});

describe('Usage that was accepted after the backup', () => {
  it.each([
    ['sum', [4, 3]],
    ['count', [1, 1]],
  ] as const)('of a meter with %s is not billed again when its sender repeats it, in part or in whole', async (formula, values) => {
    const of = await some(formula);
    await used(of, [1]);
    await world.reported();
    const before = await backup();
    const lost = await used(of, values);
    await world.reported();
    const all = billed(of);
    expect(all).toBe(1 + values[0] + values[1]);
    later(25 * HOUR_MS);
    await before.restore();
    await world.record(lost.slice(0, 1));
    await world.reported(3 * HOUR_MS);
    expect(billed(of)).toBe(all);
    await world.record(lost);
    await world.reported(3 * HOUR_MS);
    expect(billed(of)).toBe(all);
    expect(await differences(of)).toEqual([]);
  });

  it('in an hour of which the backup has nothing is not billed again, either', async () => {
    const of = await some();
    const before = await backup();
    const lost = await used(of, [4, 3]);
    await world.reported();
    later(25 * HOUR_MS);
    await before.restore();
    await world.record(lost);
    await world.reported(3 * HOUR_MS);
    expect(billed(of)).toBe(7);
  });

  it('stays billed when nobody repeats it: nothing is taken back, no comparison finds fault with it, and no repair or rebuild changes that', async () => {
    const of = await some();
    await used(of, [10]);
    await world.reported();
    const before = await backup();
    await used(of, [5]);
    await world.reported();
    later(25 * HOUR_MS);
    await before.restore();
    await world.reported(3 * HOUR_MS);
    expect(await differences(of)).toEqual([]);
    const hour = world.taken(of.meter, of.customer)[0]?.event.timestamp ?? 0;
    const wish = { ...of, hour: new Date(Math.floor(hour / 3600) * 3_600_000).toISOString(), reason: 'as a run after the restore would' };
    await world.send(RPC.usageRepair, { body: wish });
    await rebuildUsageCounters(world.db, world.clock.now());
    await world.reported(3 * HOUR_MS);
    expect(billed(of)).toBe(15);
    expect(await differences(of)).toEqual([]);
  });

  it('is never mistaken for what is used after the restore', async () => {
    const of = await some();
    await used(of, [10]);
    await world.reported();
    const before = await backup();
    await used(of, [5]);
    await world.reported();
    await before.restore();
    later(AHEAD_MS);
    await used(of, [7]);
    await world.reported(3 * HOUR_MS);
    expect(billed(of)).toBe(22);
  });

  it('by a clock that goes ahead is not billed again, either', async () => {
    const of = await some();
    const before = await backup();
    const lost = [{ ...of, id: 'lost-ahead', value: 5, at: new Date(world.clock.now().getTime() + 4 * 60_000).toISOString() }];
    await world.record(lost);
    await world.reported(30_000);
    expect(billed(of)).toBe(5);
    later(60_000);
    await before.restore();
    later(25 * HOUR_MS);
    await world.record(lost);
    await world.reported(3 * HOUR_MS);
    expect(billed(of)).toBe(5);
  });

  it('is no reason not to take usage back where nothing was lost', async () => {
    const of = await some();
    const [first] = await used(of, [10]);
    await world.reported();
    const before = await backup();
    later(25 * HOUR_MS);
    await before.restore();
    await world.record([{ ...of, id: 'taken-back', value: -3, at: first?.at ?? '' }]);
    await world.reported(3 * HOUR_MS);
    expect(billed(of)).toBe(7);
    expect(await differences(of)).toEqual([]);
  });

  it('does not bring usage back that is too old to be billed: that ends once', async () => {
    const of = await some();
    await used(of, [10]);
    await world.reported();
    const before = await backup();
    await used(of, [5]);
    await world.reported();
    await before.restore();
    later(AHEAD_MS);
    await used(of, [7]);
    later(36 * DAY_MS);
    await world.reported(60_000);
    const { rows: ended } = await sql`SELECT FROM usage_reports WHERE customer = ${of.customer} AND state = 'expired'`.execute(world.db);
    expect(ended).toHaveLength(1);
    expect(billed(of)).toBe(15);
  });

  it('of single events is sent again by a repair, when somebody takes back what was on record', async () => {
    const of = await some('count');
    await used(of, [1]);
    await world.reported();
    const before = await backup();
    const lost = await used(of, [1, 1]);
    await world.reported();
    await before.restore();
    await world.record(lost);
    await world.reported(3 * HOUR_MS);
    const counting = () => world.taken(of.meter, of.customer).filter(({ canceled }) => !canceled);
    expect(counting()).toHaveLength(3);
    const cancel = { event_name: of.meter, type: 'cancel', 'cancel[identifier]': counting()[0]?.identifier ?? '' };
    await world.stripe('billing/meter_event_adjustments', cancel);
    later(2 * HOUR_MS);
    const hour = new Date(Math.floor(Date.parse(lost[0]!.at) / HOUR_MS) * HOUR_MS).toISOString();
    const reply = await world.send(RPC.usageRepair, { body: { ...of, hour, reason: 'it was taken back' } });
    expect([reply.status, world.json<{ difference: string }>(reply).difference]).toEqual([200, '1']);
    await world.reported();
    expect(counting()).toHaveLength(3);
    expect(await differences(of)).toEqual([]);
  });

  it('of a customer whom Stripe has deleted is asked about as long as it can be billed', async () => {
    const of = await some();
    await used(of, [10]);
    const before = await backup();
    await before.restore();
    await world.send(RPC.customerErase, { params: { id: of.customer }, body: { reason: 'asked to' }, key: null });
    await world.parts.carryOnObjectsOnce(60_000);
    const due = async () =>
      (await sql`SELECT FROM usage_counters WHERE customer = ${of.customer} AND due_at IS NOT NULL`.execute(world.db)).rows;
    later(2 * HOUR_MS);
    await world.reported();
    expect(await due()).toHaveLength(1);
    later(35 * DAY_MS);
    await world.reported();
    expect(await due()).toEqual([]);
    expect(billed(of)).toBe(0);
  });

  it('is what a repair believes when nobody has asked yet, whatever the meter', async () => {
    const of = await some('count');
    const before = await backup();
    const lost = await used(of, [1, 1, 1]);
    await world.reported();
    later(25 * HOUR_MS);
    await before.restore();
    later(2 * HOUR_MS);
    await world.record(lost.slice(0, 2));
    const hour = new Date(Math.floor(Date.parse(lost[0]!.at) / HOUR_MS) * HOUR_MS).toISOString();
    const reply = await world.send(RPC.usageRepair, { body: { ...of, hour, reason: 'after the restore' } });
    expect([reply.status, world.json<{ difference: string }>(reply).difference]).toEqual([200, '0']);
    await world.reported(3 * HOUR_MS);
    expect(billed(of)).toBe(3);
  });
});
