import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Db, openDatabase } from '@tidegate/database/database';
import { failpointsFrom } from '@tidegate/database/failpoints';
import { type Logger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { listDeadLetters, replayDeadLetter } from '../src/dead-letters.js';
import { readOutboxState, startNewEpoch } from '../src/outbox-rows.js';
import { type Handler, PermanentFailure } from '../src/subscriber.js';
import { countEffects, effectsOf, numbersByAggregate, quiet, recordEffect, recorder, upTo, World } from './support/world.js';

jest.setTimeout(60_000);

/** Keeps the names of errors only. */
function alarming(alarms: string[]): Logger {
  const nothing = () => undefined;
  const logger: Logger = {
    debug: nothing,
    info: nothing,
    warn: nothing,
    error: (fields) => void alarms.push(fields.event),
    child: () => logger,
  };
  return logger;
}

describe("When the owner's database was restored from a backup", () => {
  let world: World;
  beforeEach(async () => {
    world = await World.open();
  });
  afterEach(() => world.close());

  it('begins an epoch by itself, and consumers take the new history for what it is', async () => {
    const payments = await world.owner('payments');
    const receipts = await world.member('receipts');
    const subscriber = await world.subscribe(receipts, 'receipts-payments', recorder());
    for (const n of upTo(10)) await payments.publish('payment:pay_1', n);
    await eventually(async () => expect(await countEffects(receipts.db, 'receipts-payments')).toBe(10));
    await payments.relay.stop();

    await restoreToPosition(6);
    // They are there before the relay is, which must not stamp them before it has begun the epoch.
    for (const n of [101, 102, 103]) await payments.publish('payment:pay_1', n);
    world.relay(payments, 'payments');

    await eventually(async () =>
      expect((await effectsOf(receipts.db, 'receipts-payments')).map((effect) => effect.n)).toEqual([...upTo(10), 101, 102, 103]),
    );
    const state = await readOutboxState(payments.db);
    expect(state).toMatchObject({ epoch_start: 7, head: 9 });
    expect(state.epoch).toBeGreaterThan(1_700_000_000);
    expect(await subscriber.watermark()).toEqual({ epoch: state.epoch, epoch_start: 7, position: 9 });
  });

  it('begins it also under a relay that goes on, before it gives out a position again', async () => {
    const payments = await world.owner('payments');
    const receipts = await world.member('receipts');
    await world.subscribe(receipts, 'receipts-payments', recorder());
    for (const n of upTo(10)) await payments.publish('payment:pay_1', n);
    await eventually(async () => expect(await readOutboxState(payments.db)).toMatchObject({ published: 10 }));
    await eventually(async () => expect(await countEffects(receipts.db, 'receipts-payments')).toBe(10));

    // A standby that lagged behind is the primary now, with the lease as it was.
    await restoreToPosition(6);
    for (const n of [101, 102, 103]) await payments.publish('payment:pay_1', n);

    await eventually(async () =>
      expect((await effectsOf(receipts.db, 'receipts-payments')).map((effect) => effect.n)).toEqual([...upTo(10), 101, 102, 103]),
    );
    expect(await readOutboxState(payments.db)).toMatchObject({ epoch_start: 7, head: 9 });
  });

  it('begins it also where only this process knows of the positions, because the broker never took them', async () => {
    const failpoints = failpointsFrom('payments.relay.publish.before_call:error', ['payments.relay.publish.before_call'], quiet);
    const payments = await world.owner('payments', { failpoints });
    const receipts = await world.member('receipts');
    await world.subscribe(receipts, 'receipts-payments', recorder());
    for (const n of upTo(10)) await payments.publish('payment:pay_1', n);
    await eventually(async () => expect(await countEffects(receipts.db, 'receipts-payments')).toBe(10));

    await restoreToPosition(6);
    for (const n of [101, 102, 103]) await payments.publish('payment:pay_1', n);

    await eventually(async () =>
      expect((await effectsOf(receipts.db, 'receipts-payments')).map((effect) => effect.n)).toEqual([...upTo(10), 101, 102, 103]),
    );

    // And once more to the same backup, which knows nothing of the epoch that was begun since, and of which no message was stored.
    const { epoch } = await readOutboxState(payments.db);
    await restoreToPosition(6);
    await sql`UPDATE outbox_state SET epoch = 1, epoch_start = 1`.execute(payments.db);
    await payments.publish('payment:pay_1', 201);

    await eventually(async () =>
      expect((await effectsOf(receipts.db, 'receipts-payments')).map((effect) => effect.n)).toEqual([...upTo(10), 101, 102, 103, 201]),
    );
    expect((await readOutboxState(payments.db)).epoch).toBeGreaterThan(epoch);
  });

  it('is begun once, by whoever knows the outbox as it is', async () => {
    const payments = await world.owner('payments');
    const found = await readOutboxState(payments.db);
    const epoch = await startNewEpoch(payments.db, found, 4_000_000_000);
    expect(epoch).toBe(4_000_000_001);
    expect(await startNewEpoch(payments.db, found)).toBeNull();
  });

  it('handles no second time what comes back in the new epoch', async () => {
    const payments = await world.owner('payments');
    const receipts = await world.member('receipts');
    await world.subscribe(receipts, 'receipts-payments', recorder());
    for (const n of upTo(10)) await payments.publish('payment:pay_1', n);
    await eventually(async () => expect(await countEffects(receipts.db, 'receipts-payments')).toBe(10));
    await payments.relay.stop();

    const lost = await rowsAbove(payments.db, 6);
    await restoreToPosition(6);
    await payments.publish('payment:pay_1', 101);
    await comeBack(payments.db, lost);
    world.relay(payments, 'payments');

    await eventually(async () => expect(await readOutboxState(payments.db)).toMatchObject({ published: 11 }));
    await eventually(async () => expect(await countEffects(receipts.db, 'receipts-payments')).toBe(11));
    await payments.publish('payment:pay_1', 102);
    await eventually(async () =>
      expect((await effectsOf(receipts.db, 'receipts-payments')).map((effect) => effect.n)).toEqual([...upTo(10), 101, 102]),
    );
  });

  it('handles what comes back and had not run, and has no dead letters of what does not', async () => {
    const payments = await world.owner('payments');
    const receipts = await world.member('receipts');
    let fixed = false;
    const handler: Handler = {
      async handle(tx, message) {
        const { n } = message.envelope.data as { n: number };
        if (!fixed && n > 6) throw n < 9 ? new PermanentFailure('a bug') : new Error('not now');
        await recordEffect(tx, message);
      },
    };
    const subscriber = await world.subscribe(receipts, 'receipts-payments', handler);
    for (const n of upTo(10)) await payments.publish(`payment:pay_${n}`, n);
    await eventually(async () => expect(await countEffects(receipts.db, 'receipts-payments')).toBe(6));
    await eventually(async () => expect(await listDeadLetters(receipts.db)).toHaveLength(2));
    await eventually(async () => expect(await failed(receipts.db)).toBe(4));
    await payments.relay.stop();

    // Their transactions had committed before the backup, and they got their positions after it; those of the others had not.
    const lost = (await rowsAbove(payments.db, 6)).filter((row) => ['payment:pay_8', 'payment:pay_10'].includes(row.aggregate));
    await restoreToPosition(6);
    await comeBack(payments.db, lost);
    await payments.publish('payment:pay_8', 108);
    world.relay(payments, 'payments');
    await eventually(async () => expect(await subscriber.watermark()).toMatchObject({ epoch_start: 7, position: 9 }));
    await eventually(async () => expect((await listDeadLetters(receipts.db)).map((one) => one.aggregate)).toEqual(['payment:pay_8']));
    fixed = true;
    const [dead] = await listDeadLetters(receipts.db);
    expect(await replayDeadLetter(receipts.db, 'receipts-payments', dead!.message_id)).toBe(true);

    await eventually(async () =>
      expect(numbersByAggregate(await effectsOf(receipts.db, 'receipts-payments'))).toMatchObject({
        'payment:pay_6': [6],
        'payment:pay_8': [8, 108],
        'payment:pay_10': [10],
      }),
    );
    expect(await countEffects(receipts.db, 'receipts-payments')).toBe(9);
    expect(await listDeadLetters(receipts.db)).toEqual([]);
  });

  it('alarms when the owner was restored without a new epoch, because the broker lost its end too', async () => {
    const payments = await world.owner('payments');
    const receipts = await world.member('receipts');
    const alarms: string[] = [];
    await world.subscribe(receipts, 'receipts-payments', recorder(), { logger: alarming(alarms) });
    for (const n of upTo(5)) await payments.publish('payment:pay_1', n);
    await eventually(async () => expect(await countEffects(receipts.db, 'receipts-payments')).toBe(5));
    expect(alarms).toEqual([]);

    await payments.relay.stop();
    await sql`UPDATE outbox_state SET head = 3, published = 3`.execute(payments.db);

    await eventually(() => expect(alarms).toContain('owner_behind'));
  });

  it('alarms and waits when the owner no longer keeps what a consumer has not seen', async () => {
    const payments = await world.owner('payments');
    for (const n of upTo(5)) await payments.publish('payment:pay_1', n);
    await eventually(async () => expect(await readOutboxState(payments.db)).toMatchObject({ published: 5 }));
    await world.nats.wipe();
    await sql`UPDATE outbox_state SET floor = 4`.execute(payments.db);
    const receipts = await world.member('receipts');
    const alarms: string[] = [];
    const subscriber = await world.subscribe(receipts, 'receipts-payments', recorder(), { logger: alarming(alarms) });

    await eventually(() => expect(alarms).toContain('inbox_below_floor'));
    await payments.publish('payment:pay_1', 6);

    await eventually(async () => expect(await readOutboxState(payments.db)).toMatchObject({ published: 6 }));
    expect(await countEffects(receipts.db, 'receipts-payments')).toBe(0);
    expect((await subscriber.watermark()).position).toBe(0);
  });

  it('runs nothing above a gap while the owner is away', async () => {
    const payments = await world.owner('payments', { serve: false });
    const receipts = await world.member('receipts');
    for (const n of upTo(5)) await payments.publish('payment:pay_1', n);
    await eventually(async () => expect(await readOutboxState(payments.db)).toMatchObject({ published: 5 }));
    await world.nats.wipe();
    await payments.publish('payment:pay_1', 6);
    const said: string[] = [];
    const logger = {
      debug: () => undefined,
      info: () => undefined,
      error: () => undefined,
      warn: (fields: { event: string }) => void said.push(fields.event),
      child: () => logger,
    };
    await world.subscribe(receipts, 'receipts-payments', recorder(), { logger });

    await eventually(
      async () => expect((await sql<{ n: number }>`SELECT count(*) AS n FROM inbox`.execute(receipts.db)).rows[0]?.n).toBe(1),
      { timeoutMs: 15_000 },
    );
    await eventually(() => expect(said).toContain('outbox_owner_away'));
    expect(await countEffects(receipts.db, 'receipts-payments')).toBe(0);

    const back = await world.owner('payments');
    back.relay.signal();
    await eventually(async () => expect((await effectsOf(receipts.db, 'receipts-payments')).map((effect) => effect.n)).toEqual(upTo(6)));
  });

  interface Row {
    message_id: string;
    aggregate: string;
    subject: string;
    bytes: Buffer;
  }

  async function rowsAbove(db: Db, position: number): Promise<Row[]> {
    const { rows } = await sql<Row>`
      SELECT message_id, aggregate, subject, bytes FROM outbox WHERE position > ${position} ORDER BY position`.execute(db);
    return rows;
  }

  /** As they were before they got their positions. */
  async function comeBack(db: Db, rows: readonly Row[]): Promise<void> {
    for (const { message_id, aggregate, subject, bytes } of rows)
      await sql`INSERT INTO outbox (message_id, aggregate, subject, bytes) VALUES (${message_id}, ${aggregate}, ${subject}, ${bytes})`.execute(
        db,
      );
  }

  async function failed(db: Db): Promise<number | undefined> {
    return (await sql<{ n: number }>`SELECT count(*)::int AS n FROM inbox WHERE failures > 0`.execute(db)).rows[0]?.n;
  }

  /** What a backup taken at that position would have: its rows are gone, and so is what the relay noted since. */
  async function restoreToPosition(position: number): Promise<void> {
    const admin = openDatabase<Record<string, never>>({ url: world.database.url, poolSize: 1, applicationName: 'restore' }, quiet);
    await sql`ALTER TABLE payments.outbox DISABLE TRIGGER ALL`.execute(admin.db);
    await sql`DELETE FROM payments.outbox WHERE position > ${position}`.execute(admin.db);
    await sql`ALTER TABLE payments.outbox ENABLE TRIGGER ALL`.execute(admin.db);
    await sql`UPDATE payments.outbox_state SET head = ${position}, published = ${position}`.execute(admin.db);
    await admin.close();
  }
});
