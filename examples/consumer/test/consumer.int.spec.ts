import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RunningConsumer } from '@tidegate/messaging/consumer';
import { migrateConsumer } from '@tidegate/messaging/consumer-schema';
import { natsPermissions, natsPermissionsOfConsumer } from '@tidegate/messaging/topology';
import { createLogger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import { natsForTests, type TestNats } from '@tidegate/test-harness/nats';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { sql } from 'kysely';
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

const started = () => startShop({ databaseUrl: shop.urlFor('shop'), natsUrl: nats.url('shop'), logger });

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
});
