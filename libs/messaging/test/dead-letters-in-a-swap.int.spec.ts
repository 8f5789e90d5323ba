import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { discardDeadLetter, listDeadLetters, replayDeadLetter } from '../src/dead-letters.js';
import { rebuild } from '../src/rebuild.js';
import { type Projection } from '../src/replay/projection.js';
import { type Handler, PermanentFailure } from '../src/subscriber.js';
import { totals, totalsProjection } from './support/totals.js';
import { type Member, quiet, World } from './support/world.js';

jest.setTimeout(60_000);

const CONSUMER = 'reconciliation-payments';

describe('Given a dead letter, and a projection that is swapped in while an operator settles it', () => {
  let world: World;
  let own: Member;
  let poisonous: boolean;
  let dead: string;

  beforeEach(async () => {
    poisonous = true;
    world = await World.open();
    const payments = await world.owner('payments');
    own = await world.member('reconciliation');
    const handler: Handler = {
      ...totals,
      async handle(tx, message, prepared) {
        if (poisonous && (message.envelope.data as { n: number }).n === 1) throw new PermanentFailure('poison');
        await totals.handle(tx, message, prepared);
      },
    };
    await world.subscribe(own, CONSUMER, handler);
    for (const n of [1, 2]) await payments.publish('payment:pay_1', n);
    await payments.publish('payment:pay_2', 3);
    await eventually(async () => expect(await sums()).toEqual([3]));
    await eventually(async () => expect(await listDeadLetters(own.db)).toHaveLength(1));
    dead = (await listDeadLetters(own.db))[0]!.message_id;
  });
  afterEach(() => world.close());

  it('is settled when its lane was busy and the swap came to its end first', async () => {
    const settled = Promise.withResolvers<boolean>();
    let swapped: Promise<unknown> | undefined;
    await own.db.transaction().execute(async (tx) => {
      await sql`SELECT 1 FROM inbox_lanes WHERE consumer = ${CONSUMER} FOR UPDATE`.execute(tx);
      discardDeadLetter(own.db, CONSUMER, dead, 'not needed').then(settled.resolve, settled.reject);
      await eventually(async () => expect(await lockWaits()).toBe(1));
      swapped = rebuilt();
      await eventually(async () => expect(await lockWaits()).toBe(2));
    });

    expect(await settled.promise).toBe(true);
    await swapped;
    expect(await listDeadLetters(own.db)).toEqual([]);
    await eventually(async () => expect(await sums()).toEqual([2, 3]));
  });

  it('is settled when the swap had looked at it already', async () => {
    let settled: boolean | undefined;
    const projection: Projection = {
      ...totalsProjection(),
      async unaccounted() {
        poisonous = false;
        settled ??= await replayDeadLetter(own.db, CONSUMER, dead);
        return [];
      },
    };

    await rebuilt(projection);

    expect(settled).toBe(true);
    expect(await listDeadLetters(own.db)).toEqual([]);
    await eventually(async () => expect(await sums()).toEqual([3, 3]));
  });

  const rebuilt = (projection = totalsProjection()) => rebuild({ ...own, logger: quiet, projection });

  async function lockWaits(): Promise<number> {
    const { rows } = await sql`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(
      own.db,
    );
    return rows.length;
  }

  async function sums(): Promise<number[]> {
    const { rows } = await sql<{ sum: number }>`SELECT sum FROM totals ORDER BY aggregate`.execute(own.db);
    return rows.map(({ sum }) => Number(sum));
  }
});
