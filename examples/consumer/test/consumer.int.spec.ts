import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type PaymentFact, paymentSubject } from '@tidegate/contracts/events/payment';
import { type RunningConsumer } from '@tidegate/messaging/consumer';
import { migrateConsumer } from '@tidegate/messaging/consumer-schema';
import { natsPermissions, natsPermissionsOfConsumer } from '@tidegate/messaging/topology';
import { createLogger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import { natsForTests, type TestNats } from '@tidegate/test-harness/nats';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { sql } from 'kysely';
import pg from 'pg';
import { startShop } from '../src/shop.js';
import { type Publisher, startPublisher } from './tidegate.js';

const logger = createLogger({ service: 'shop', level: 'silent' });
const passwordOf = (role: string) => `${role}-in-tests`;

let tidegate: TestDatabase;
let shop: TestDatabase;
let nats: TestNats;
let payments: Publisher;
const consumers: RunningConsumer[] = [];

beforeAll(async () => {
  const users = [
    { user: 'payments', password: 'payments', permissions: natsPermissions('payments') },
    {
      user: 'shop',
      password: 'shop',
      permissions: natsPermissionsOfConsumer('shop', [{ service: 'shop', durable: 'shop-payments', stream: 'PAYMENTS_EVENTS' }]),
    },
  ];
  const ownMigration = {
    key: `shop_${process.pid}`,
    passwordOf,
    run: async (url: string) =>
      void (await migrateConsumer(url, {
        schema: 'shop',
        password: passwordOf('shop'),
        migrations: join(import.meta.dirname, '../migrations'),
      })),
  };
  [tidegate, shop, nats] = await Promise.all([postgresForTests(), postgresForTests({ migrate: ownMigration }), natsForTests({ users })]);
  payments = await startPublisher(tidegate.urlFor('payments'), nats.url('payments'));
  consumers.push(await started(), await started());
}, 120_000);

afterAll(async () => {
  await Promise.all(consumers.map((one) => one.stop()));
  await payments.stop();
  await nats.stop();
  await Promise.all([tidegate.drop(), shop.drop()]);
});

const started = () => startShop({ tenant: 'default', databaseUrl: shop.urlFor('shop'), natsUrl: nats.url('shop'), logger });

async function pay(...ids: string[]): Promise<void> {
  for (const id of ids) {
    await payments.publish(id, 'created', 1);
    await payments.publish(id, 'succeeded', 2);
  }
}

async function shipped(prefix: string): Promise<string[]> {
  const { rows } = await sql<{
    payment_id: string;
  }>`SELECT payment_id FROM shipments WHERE payment_id LIKE ${`${prefix}%`} ORDER BY payment_id`.execute(consumers[0]!.db);
  return rows.map((row) => row.payment_id);
}

/** How many messages of a payment have been handled. */
async function handled(paymentId: string, fact: PaymentFact): Promise<number> {
  const { rows } = await sql<{ handled: number }>`
    SELECT count(*)::int AS handled FROM inbox
    WHERE aggregate = ${paymentId} AND subject = ${paymentSubject(fact)} AND state = 'done'`.execute(consumers[0]!.db);
  return rows[0]!.handled;
}

/** Tidegate's database as a backup from before this payment has it: the relay begins a new epoch. */
async function restoreToBefore(paymentId: string): Promise<void> {
  const admin = new pg.Client({ connectionString: tidegate.url });
  await admin.connect();
  await admin.query('ALTER TABLE payments.outbox DISABLE TRIGGER ALL');
  const { rowCount } = await admin.query('DELETE FROM payments.outbox WHERE aggregate = $1', [paymentId]);
  await admin.query('ALTER TABLE payments.outbox ENABLE TRIGGER ALL');
  await admin.query('UPDATE payments.outbox_state SET head = head - $1, published = head - $1', [rowCount]);
  await admin.end();
}

const ids = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(3, '0')}`);

describe('The shop', () => {
  it('orders one parcel for each payment that succeeded, with two consumers running', async () => {
    await pay(...ids('pay_usual', 20));
    await eventually(async () => expect(await shipped('pay_usual')).toEqual(ids('pay_usual', 20)), { timeoutMs: 20_000 });
  }, 30_000);

  it('goes on where it stopped', async () => {
    await Promise.all(consumers.splice(1).map((one) => one.stop()));
    await pay(...ids('pay_later', 5));
    consumers.push(await started());
    await eventually(async () => expect(await shipped('pay_later')).toEqual(ids('pay_later', 5)), { timeoutMs: 20_000 });
  }, 30_000);

  it('misses nothing and doubles nothing when the broker loses its store', async () => {
    await pay(...ids('pay_wiped_a', 10));
    await nats.wipe();
    await pay(...ids('pay_wiped_b', 10));
    await eventually(async () => expect(await shipped('pay_wiped')).toEqual([...ids('pay_wiped_a', 10), ...ids('pay_wiped_b', 10)]), {
      timeoutMs: 40_000,
    });
    expect(await shipped('pay_usual')).toEqual(ids('pay_usual', 20));
  }, 60_000);

  it.each([
    ['of another tenant', { tenant: 'somebody_else' }],
    ['of a checkout, whose money may be on its way back', { origin: 'checkout' }],
    ['of a subscription', { origin: 'subscription' }],
    ['made in the dashboard', { origin: 'dashboard' }],
  ] as const)(
    'orders no parcel for a payment %s',
    async (_which, unusual) => {
      const id = `pay_foreign_${Object.values(unusual).join()}`;
      await payments.publish(id, 'succeeded', 1, unusual);
      await eventually(async () => expect(await handled(id, 'succeeded')).toBe(1), { timeoutMs: 20_000 });
      expect(await shipped(id)).toEqual([]);
    },
    30_000,
  );

  it('keeps an event of a version that it does not know waiting, and goes on with other payments', async () => {
    const subject = paymentSubject('succeeded').replace(/v1$/, 'v2');
    await payments.publish('pay_next', 'succeeded', 1, { subject });
    const { db } = consumers[0]!;
    await eventually(async () => {
      const { rows } = await sql`SELECT state, failures > 0 AS tried FROM inbox WHERE subject = ${subject}`.execute(db);
      expect(rows).toEqual([{ state: 'pending', tried: true }]);
    });
    await pay('pay_beside');
    await eventually(async () => expect(await shipped('pay_beside')).toEqual(['pay_beside']), { timeoutMs: 20_000 });
    expect(await shipped('pay_next')).toEqual([]);
  }, 30_000);

  it('orders no second parcel when Tidegate was restored and tells the same payment again under other ids', async () => {
    await pay('pay_restored');
    await eventually(async () => expect(await shipped('pay_restored')).toEqual(['pay_restored']), { timeoutMs: 20_000 });
    await restoreToBefore('pay_restored');
    await pay('pay_restored');
    await eventually(async () => expect(await handled('pay_restored', 'succeeded')).toBe(2), { timeoutMs: 40_000 });
    expect(await shipped('pay_restored')).toEqual(['pay_restored']);
  }, 60_000);
});
