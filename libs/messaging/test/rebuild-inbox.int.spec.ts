import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Db } from '@tidegate/database/database';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { rebuild, RebuildIncomplete } from '../src/rebuild.js';
import { totals, totalsProjection } from './support/totals.js';
import { type Member, quiet, upTo, World } from './support/world.js';

jest.setTimeout(60_000);

const SOURCE = { durable: 'reconciliation-payments' } as const;

describe('When a projection is rebuilt', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.open();
  });
  afterEach(() => world.close());

  it('comes out equal in a new generation while messages keep coming, and the live consumer goes on in it', async () => {
    const payments = await world.owner('payments');
    const reconciliation = await world.member('reconciliation');
    await world.subscribe(reconciliation, SOURCE.durable, totals);
    await publish(payments.publish, 1, 60);
    await eventually(async () => expect(await sumOf(reconciliation.db)).toEqual({ messages: 60, sum: 1830 }));
    // From here on the stream no longer reaches back to the first half: that is in the outbox only.
    await world.nats.wipe();
    await publish(payments.publish, 61, 120);
    await eventually(async () => expect((await sumOf(reconciliation.db)).messages).toBe(120));
    await sql`DELETE FROM totals`.execute(reconciliation.db);

    const meanwhile = publish(payments.publish, 121, 160);
    const done = await rebuildTotals(reconciliation);
    await meanwhile;
    await publish(payments.publish, 161, 180);

    const [{ generation, fromStream, handled } = { generation: 0, fromStream: 0, handled: 0 }] = done.sources;
    expect(generation).toBe(2);
    expect(fromStream).toBeGreaterThan(0);
    expect(fromStream).toBeLessThanOrEqual(100);
    expect(handled).toBeGreaterThanOrEqual(120);
    await eventually(async () => expect(await sumOf(reconciliation.db)).toEqual({ messages: 180, sum: 16_290 }));
    const { rows } = await sql`SELECT DISTINCT generation FROM inbox`.execute(reconciliation.db);
    expect(rows).toEqual([{ generation: 2 }]);
  });

  it('waits for a handler that has written and not yet asked for its generation', async () => {
    const payments = await world.owner('payments');
    const reconciliation = await world.member('reconciliation');
    const subscriber = await world.subscribe(reconciliation, SOURCE.durable, totals);
    await publish(payments.publish, 1, 7);
    await eventually(async () => expect((await sumOf(reconciliation.db)).messages).toBe(7));
    await subscriber.stop();

    let rebuilt: Promise<unknown> | undefined;
    await reconciliation.db.transaction().execute(async (tx) => {
      await sql`UPDATE totals SET sum = sum`.execute(tx);
      rebuilt = rebuildTotals(reconciliation);
      await eventually(async () => {
        // Not in the transaction: it would go on seeing the connections that there were at its first look.
        const { rows } = await sql`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(
          reconciliation.db,
        );
        expect(rows).toHaveLength(1);
      });
      await sql`SELECT live FROM inbox_generations WHERE consumer = ${SOURCE.durable} FOR SHARE`.execute(tx);
    });
    await rebuilt;
    expect((await sumOf(reconciliation.db)).messages).toBe(7);
  });

  it('changes nothing when the owner is away, because nobody can say that everything was read', async () => {
    const payments = await world.owner('payments', { serve: false });
    const reconciliation = await world.member('reconciliation');
    await world.subscribe(reconciliation, SOURCE.durable, totals);
    await publish(payments.publish, 1, 5);
    await eventually(async () => expect((await sumOf(reconciliation.db)).messages).toBe(5));

    await expect(rebuildTotals(reconciliation)).rejects.toThrow(RebuildIncomplete);

    expect((await sumOf(reconciliation.db)).messages).toBe(5);
  });

  function rebuildTotals(member: Member) {
    return rebuild({ ...member, logger: quiet, projection: totalsProjection() });
  }
});

async function publish(send: (aggregate: string, n: number) => Promise<void>, from: number, to: number): Promise<void> {
  for (const n of upTo(to).slice(from - 1)) await send(`payment:pay_${n % 7}`, n);
}

async function sumOf(db: Db): Promise<{ messages: number; sum: number }> {
  const { rows } = await sql<{
    messages: number;
    sum: number;
  }>`SELECT coalesce(sum(messages), 0)::int AS messages, coalesce(sum(sum), 0)::int AS sum FROM totals`.execute(db);
  return rows[0] ?? { messages: 0, sum: 0 };
}
