import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { jetstream } from '@nats-io/jetstream';
import { failpointsFrom, noFailpoints } from '@tidegate/database/failpoints';
import { Lease } from '@tidegate/database/lease';
import { inTransaction } from '@tidegate/database/transaction';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { readPage } from '../src/outbox-read.rpc.js';
import { checkpointPublished, LeadershipLost, readOutboxState, stampVisible } from '../src/outbox-rows.js';
import { stage } from '../src/outbox.js';
import { type Member, messageOf, quiet, recorder, countEffects, effectsOf, numbersByAggregate, upTo, World } from './support/world.js';

const WRITERS = 8;
const ROWS = 150;

jest.setTimeout(60_000);

describe('When eight writers commit slowly and out of order', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.open();
  });
  afterEach(() => world.close());

  it('publishes every row, densely numbered, in order per aggregate', async () => {
    const payments = await world.owner('payments');
    await world.subscribe(await world.member('receipts'), 'receipts-payments', { ...recorder(), projector: true });

    await Promise.all(upTo(WRITERS).map((writer) => write(payments, writer)));
    payments.relay.signal();

    const total = WRITERS * ROWS;
    await eventually(async () => expect(await readOutboxState(payments.db)).toMatchObject({ head: total, published: total }));
    const positions = await stamped(payments);
    expect(positions.map((row) => row.position)).toEqual(upTo(total));
    const { db } = await world.member('receipts');
    await eventually(async () => expect(await countEffects(db, 'receipts-payments')).toBe(total), { timeoutMs: 20_000 });
    const expected = Object.fromEntries(upTo(WRITERS).map((writer) => [`payment:pay_${writer}`, upTo(ROWS)]));
    expect(numbersByAggregate(await effectsOf(db, 'receipts-payments'))).toEqual(expected);
  });

  it('keeps positions dense when two relays believe to lead', async () => {
    const payments = await world.owner('payments');
    const second = await world.member('payments');
    // The first one cannot renew in time and the second takes over, while both still stamp.
    await sql`UPDATE leases SET expires_at = clock_timestamp()`.execute(payments.db);
    const other = world.relay(second, 'payments');

    await Promise.all(
      upTo(4).map(async (writer) => {
        for (const n of upTo(50)) {
          await payments.publish(`payment:pay_${writer}`, n);
          other.signal();
        }
      }),
    );

    await eventually(async () => expect(await readOutboxState(payments.db)).toMatchObject({ head: 200, published: 200 }), {
      timeoutMs: 15_000,
    });
    expect((await stamped(payments)).map((row) => row.position)).toEqual(upTo(200));
  });
});

describe('When the broker has no room for the stream', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.open({ maxFileStoreBytes: 1024 ** 2 });
  });
  afterEach(() => world.close());

  it('stamps all the same, and consumers read the outbox', async () => {
    const payments = await world.owner('payments');
    const receipts = await world.member('receipts');
    await world.subscribe(receipts, 'receipts-payments', recorder());

    for (const n of upTo(10)) await payments.publish('payment:pay_1', n);

    await eventually(async () =>
      expect(numbersByAggregate(await effectsOf(receipts.db, 'receipts-payments'))).toEqual({ 'payment:pay_1': upTo(10) }),
    );
    expect(await readOutboxState(payments.db)).toMatchObject({ head: 10, published: 0 });
  });
});

describe('When the relay comes back after it stamped and did not publish', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.open();
  });
  afterEach(() => world.close());

  it('publishes from its checkpoint on', async () => {
    const failpoints = failpointsFrom('payments.relay.publish.before_call:error:1', ['payments.relay.publish.before_call'], quiet);
    const payments = await world.owner('payments', { failpoints });
    for (const n of upTo(10)) await payments.publish('payment:pay_1', n);

    await eventually(async () => expect(await readOutboxState(payments.db)).toMatchObject({ head: 10, published: 10 }));
    const nc = await payments.broker.connection();
    const info = (await nc.request('$JS.API.STREAM.INFO.PAYMENTS_EVENTS', '')).json<{ state: { messages: number } }>();
    expect(info.state.messages).toBe(10);
  });

  it('goes on stamping while the stream takes no messages, so that consumers can read the outbox', async () => {
    const failpoints = failpointsFrom('payments.relay.publish.before_call:error', ['payments.relay.publish.before_call'], quiet);
    const payments = await world.owner('payments', { failpoints });
    await world.subscribe(await world.member('receipts'), 'receipts-payments', recorder());

    for (const n of upTo(10)) await payments.publish('payment:pay_1', n);

    const { db } = await world.member('receipts');
    await eventually(async () =>
      expect(numbersByAggregate(await effectsOf(db, 'receipts-payments'))).toEqual({ 'payment:pay_1': upTo(10) }),
    );
    expect(await readOutboxState(payments.db)).toMatchObject({ head: 10, published: 0 });
  });

  it('publishes nothing whose position is not committed', async () => {
    const failpoints = failpointsFrom('payments.relay.stamp.before_commit:delay(700)', ['payments.relay.stamp.before_commit'], quiet);
    const payments = await world.owner('payments', { failpoints });
    const nc = await payments.broker.connection();
    await payments.publish('payment:pay_1', 1);

    await eventually(
      async () => {
        const info = (await nc.request('$JS.API.STREAM.INFO.PAYMENTS_EVENTS', '')).json<{ state: { messages: number } }>();
        expect(info.state.messages).toBe(1);
      },
      { everyMs: 10 },
    );
    expect((await stamped(payments)).map((row) => row.position)).toEqual([1]);
  });

  it('refuses to change what is stamped, and anything but a position', async () => {
    const payments = await world.owner('payments');
    await payments.publish('payment:pay_1', 1);
    await eventually(async () => expect(await readOutboxState(payments.db)).toMatchObject({ head: 1 }));

    await expect(sql`UPDATE outbox SET position = 7`.execute(payments.db)).rejects.toThrow('an outbox row is stamped once');
    await expect(sql`UPDATE outbox SET subject = 'other'`.execute(payments.db)).rejects.toThrow('permission denied');
    await expect(sql`DELETE FROM outbox`.execute(payments.db)).rejects.toThrow('permission denied');
    await expect(sql`TRUNCATE outbox`.execute(payments.db)).rejects.toThrow('permission denied');
  });

  it('stamps nothing under a lease that ran out, even if nobody else has taken it', async () => {
    const { db } = await world.member('payments');
    await inTransaction({ db, failpoints: noFailpoints }, 'test', (tx) => stage(tx, [messageOf('payments', 'payment:pay_1', 1)]));
    const lease = new Lease(db, 'relay', 'one');
    const leader = { name: 'relay', holder: 'one', epoch: (await lease.acquire()) ?? 0 };
    const stamping = () => db.transaction().execute((tx) => stampVisible(tx, leader, 10));

    await sql`UPDATE leases SET expires_at = clock_timestamp()`.execute(db);
    await expect(stamping()).rejects.toThrow(LeadershipLost);

    await sql`UPDATE leases SET expires_at = clock_timestamp() + interval '1 minute'`.execute(db);
    expect(await stamping()).toMatchObject([{ position: 1 }]);
  });

  it('notes nothing as published that a restore of the database has taken back', async () => {
    const { db } = await world.member('payments');
    const messages = upTo(3).map((n) => messageOf('payments', 'payment:pay_1', n));
    await inTransaction({ db, failpoints: noFailpoints }, 'test', (tx) => stage(tx, messages));
    const epoch = (await new Lease(db, 'relay', 'one').acquire()) ?? 0;
    await db.transaction().execute((tx) => stampVisible(tx, { name: 'relay', holder: 'one', epoch }, 10));

    await sql`UPDATE outbox_state SET head = 1`.execute(db);
    await checkpointPublished(db, 3, epoch);
    expect(await readOutboxState(db)).toMatchObject({ head: 1, published: 0 });
    await checkpointPublished(db, 1, epoch);
    expect(await readOutboxState(db)).toMatchObject({ head: 1, published: 1 });
  });

  it('takes no message that would not fit through the broker', async () => {
    const { db } = await world.member('payments');
    const message = messageOf('payments', 'payment:pay_1', 1);
    message.envelope.data = { filler: 'x'.repeat(256 * 1024) };
    await expect(db.transaction().execute((tx) => stage(tx, [message]))).rejects.toThrow(`Bug: a message to ${message.subject}`);
  });

  it('answers outbox.read in pages of at most 512 KiB', async () => {
    const payments = await world.owner('payments');
    const big = messageOf('payments', 'payment:pay_1', 1);
    for (const n of upTo(6)) {
      const message = messageOf('payments', 'payment:pay_1', n);
      message.envelope.data = { n, filler: '"'.repeat(60_000) };
      await inTransaction({ db: payments.db, failpoints: noFailpoints }, 'test', (tx) => stage(tx, [message]));
    }
    payments.relay.signal();
    await eventually(async () => expect(await readOutboxState(payments.db)).toMatchObject({ head: 6 }));

    const page = await readPage(payments.db, { after: 0, limit: 100 });
    expect(page).toMatchObject({ epoch: 1, epoch_start: 1, floor: 1, head: 6 });
    expect(page.rows.length).toBeLessThan(6);
    expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThan(512 * 1024 + 1000);
    expect(big.subject).toBe(page.rows[0]?.subject);
  });

  it('says in outbox.read how long the oldest row has waited for its position', async () => {
    const { db } = await world.member('payments');
    expect(await readPage(db, { after: 0, limit: 1 })).toMatchObject({ head: 0, unstamped_ms: null });
    await inTransaction({ db, failpoints: noFailpoints }, 'test', (tx) => stage(tx, [messageOf('payments', 'payment:pay_1', 1)]));
    expect((await readPage(db, { after: 0, limit: 1 })).unstamped_ms).toBeGreaterThanOrEqual(0);
  });

  it('says in outbox.read, when asked, how long the oldest message waits that it has stored and not tried', async () => {
    const { db } = await world.member('payments');
    const asked = () => readPage(db, { after: 0, limit: 1, inbox: true });
    await sql`INSERT INTO inbox_generations (consumer, live) VALUES ('payments-receipts', 1) ON CONFLICT DO NOTHING`.execute(db);
    const store = (state: string, failures: number, seconds: number) =>
      sql`
      INSERT INTO inbox (consumer, generation, message_id, epoch, aggregate, subject, bytes, state, failures, stored_at)
      VALUES ('payments-receipts', 1, gen_random_uuid(), 1, 'rcp_1', 'receipts.events.receipt.issued.v1', '{}', ${state}, ${failures},
        clock_timestamp() - ${seconds}::int * interval '1 second')`.execute(db);
    expect((await asked()).inbox_ms).toBeNull();
    for (const [state, failures] of [
      ['done', 0],
      ['pending', 1],
    ] as const)
      await store(state, failures, 3600);
    expect((await asked()).inbox_ms).toBeNull();
    await store('pending', 0, 60);
    const { inbox_ms } = await asked();
    expect(inbox_ms).toBeGreaterThanOrEqual(60_000);
    expect(inbox_ms).toBeLessThan(120_000);
    expect(await readPage(db, { after: 0, limit: 1 })).not.toHaveProperty('inbox_ms');
  });

  it('holds a NATS user to its own subjects, stream and durables', async () => {
    const receipts = await world.member('receipts');
    const nc = await receipts.broker.connection();
    await world.owner('payments');

    await expect(jetstream(nc).publish('payments.events.payment.succeeded.v1', '{}', { timeout: 300 })).rejects.toThrow();
    await expect(nc.request('$JS.API.STREAM.DELETE.PAYMENTS_EVENTS', '', { timeout: 300 })).rejects.toThrow();
    await expect(nc.request('$JS.API.CONSUMER.DELETE.PAYMENTS_EVENTS.reconciliation-payments', '', { timeout: 300 })).rejects.toThrow();
    await expect(nc.request('$JS.API.CONSUMER.CREATE.PAYMENTS_EVENTS.reconciliation-payments', '{}', { timeout: 300 })).rejects.toThrow();
    await expect(nc.request('payments.rpc.payment.create.v1', '{}', { timeout: 300 })).rejects.toThrow();
  });
});

/** Holds every tenth commit back while the others go on; ids are given out before. */
async function write({ db }: Member, writer: number): Promise<void> {
  for (const n of upTo(ROWS)) {
    await inTransaction({ db, failpoints: noFailpoints }, 'test', async (tx) => {
      await stage(tx, [messageOf('payments', `payment:pay_${writer}`, n)]);
      if ((n + writer) % 10 === 0) await delay(20);
    });
  }
}

async function stamped({ db }: Member): Promise<{ position: number }[]> {
  return (await sql<{ position: number }>`SELECT position FROM outbox ORDER BY position`.execute(db)).rows;
}
