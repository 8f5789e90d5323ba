import { type Db, openDatabase } from '@tidegate/database/database';
import { noFailpoints } from '@tidegate/database/failpoints';
import { connectBroker } from '@tidegate/messaging/connection';
import { Subscriber } from '@tidegate/messaging/subscriber';
import { type Logger } from '@tidegate/telemetry/logger';
import { shipPaidOrders } from './ship-paid-orders.js';

export interface ConsumerOptions {
  /** The shop's own database, migrated. */
  databaseUrl: string;
  /** Tidegate's broker, as the shop's own user. */
  natsUrl: string;
  logger: Logger;
}

export interface RunningConsumer {
  db: Db;
  /** Finishes the messages in hand. */
  stop(): Promise<void>;
}

/** Starts the shop's consumer. Run as many as you like: they share the work, and each event still takes effect once. */
export async function startConsumer({ databaseUrl, natsUrl, logger }: ConsumerOptions): Promise<RunningConsumer> {
  const { db, close } = openDatabase<Record<string, never>>({ url: databaseUrl, poolSize: 5, applicationName: 'shop' }, logger);
  const broker = await connectBroker({ servers: natsUrl, name: 'shop', service: 'shop', logger });
  const subscriber = new Subscriber({
    service: 'shop',
    durable: 'shop-payments',
    stream: 'PAYMENTS_EVENTS',
    handler: shipPaidOrders,
    db,
    broker,
    logger,
    failpoints: noFailpoints,
    clock: { now: () => new Date() },
  });
  await subscriber.start();
  return {
    db,
    async stop() {
      await subscriber.stop();
      await broker.drain();
      await close();
    },
  };
}
