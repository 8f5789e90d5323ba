import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Database, openDatabase } from '@tidegate/database/database';
import { createLogger } from '@tidegate/telemetry/logger';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { sql } from 'kysely';
import { type PaymentsTables } from '../src/tables.js';
import { DueLook } from '../src/work/due-look.js';
import { type DueKind } from '../src/work/next-due.js';
import { acquirePayments, wishRefresh } from '../src/work/work.store.js';

describe('A look for what is due', () => {
  let database: TestDatabase;
  let opened: Database<PaymentsTables>;
  let look: DueLook;
  let found: DueKind[];
  let statements: number;
  let ms: number;
  let now: Date;
  beforeEach(async () => {
    database = await postgresForTests();
    const logger = createLogger({ service: 'payments', level: 'silent' });
    opened = openDatabase<PaymentsTables>({ url: database.urlFor('payments'), poolSize: 3, applicationName: 'due-look-spec' }, logger);
    [found, statements, ms, now] = [[], 0, 0, new Date()];
    look = new DueLook({ db: opened.db, clock: { now: () => now }, monotonic: () => ms, found: (kinds) => void found.push(...kinds) });
    opened.pool.on('acquire', () => (statements += 1));
  });
  afterEach(async () => {
    await opened.close();
    await database.drop();
  });

  /** One pass of a loop over a kind, some time after the last; answers whether it ran. */
  async function pass(kind: DueKind, { afterMs = 0, begins = 0 } = {}): Promise<boolean> {
    ms += afterMs;
    now = new Date(now.getTime() + afterMs);
    let ran = false;
    await look.pass([kind], async () => {
      ran = true;
      return begins;
    });
    return ran;
  }
  const wish = (id: string, inMs = 0) => wishRefresh(opened.db, id, new Date(now.getTime() + inMs));

  it('is one statement a second for all kinds together, while there is nothing', async () => {
    for (let n = 0; n < 10; n += 1)
      for (const kind of ['pay', 'cks', 'usage', 'parked_news'] as const) expect(await pass(kind, { afterMs: 25 })).toBe(false);
    expect(statements).toBe(1);
    await pass('pay', { afterMs: 25 });
    expect(statements).toBe(2);
  });

  it('finds what another process left, within a second, and tells the loops of all kinds', async () => {
    await pass('pay');
    await wish('cks_1');
    await wish('pay_1');
    expect(await pass('pay', { afterMs: 999 })).toBe(false);
    expect(await pass('pay', { afterMs: 1 })).toBe(true);
    expect(found.toSorted()).toEqual(['cks', 'pay']);
    expect(await pass('cks')).toBe(true);
    expect(await pass('cst')).toBe(false);
  });

  it('knows of what will be due before the next look, so that it is due on time', async () => {
    await wish('pay_1', 400);
    await pass('pay');
    expect(await pass('pay', { afterMs: 399 })).toBe(false);
    expect(await pass('pay', { afterMs: 1 })).toBe(true);
    expect(statements).toBe(2);
  });

  it('finds what a holder that is gone had in hand, and not what one has in hand that lives', async () => {
    await wish('pay_1');
    expect(await acquirePayments(opened.db, 'gone', now, 10)).toHaveLength(1);
    expect(await pass('pay')).toBe(false);
    await sql`UPDATE payment_work SET lease_until = clock_timestamp()`.execute(opened.db);
    expect(await pass('pay', { afterMs: 1000 })).toBe(true);
  });

  it.each([
    ['is', 0],
    ['will be', 300],
  ])('knows of what %s due sooner than what a limit turned away before it', async (_when, inMs) => {
    await wish('pay_1', -500);
    await sql`UPDATE payment_work SET not_before = ${new Date(now.getTime() + 900)}`.execute(opened.db);
    await wish('pay_2', inMs);
    expect(await pass('pay')).toBe(inMs === 0);
    expect(await pass('pay', { afterMs: inMs })).toBe(true);
  });

  it('keeps to the time until which a limit turned something away', async () => {
    await wish('pay_1');
    await sql`UPDATE payment_work SET not_before = ${new Date(now.getTime() + 300)}`.execute(opened.db);
    expect(await pass('pay')).toBe(false);
    expect(await pass('pay', { afterMs: 300 })).toBe(true);
  });

  it('is not waited for after a signal, and a kind that was busy is looked after without one for two seconds', async () => {
    await pass('pay');
    look.signal('pay');
    expect(await pass('pay', { afterMs: 1, begins: 1 })).toBe(true);
    expect(await pass('pay', { afterMs: 1999 })).toBe(true);
    expect(await pass('pay', { afterMs: 1 })).toBe(false);
    expect(await pass('cks')).toBe(false);
  });

  it('asks again after a signal that came while it was asking', async () => {
    const asking = pass('cks');
    await wish('cks_1');
    look.signal();
    await asking;
    expect(await pass('cks')).toBe(true);
  });

  it('fails as a loop does when it cannot be answered, and asks again', async () => {
    let asked = 0;
    const now = (): Date => {
      asked += 1;
      throw new Error('no time');
    };
    const broken = new DueLook({ db: opened.db, clock: { now }, found: () => undefined });
    await expect(broken.pass(['pay'], async () => 0)).rejects.toThrow('no time');
    await expect(broken.pass(['pay'], async () => 0)).rejects.toThrow('no time');
    expect(asked).toBe(2);
  });
});
