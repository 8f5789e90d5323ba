import { type Logger, type RunningConsumer, startConsumer } from '@tidegate/messaging/consumer';
import { parkingUnknown } from '@tidegate/messaging/park-unknown';
import { shipPaidOrders } from './ship-paid-orders.js';

interface ShopOptions {
  /** Whose payments it ships: the stream carries every tenant. */
  tenant: string;
  databaseUrl: string;
  natsUrl: string;
  logger?: Logger;
}

/** Starts the shop. Run as many as you like: they share the work, and each event still takes effect once. */
export function startShop({ tenant, ...options }: ShopOptions): Promise<RunningConsumer> {
  return startConsumer({
    name: 'shop',
    subscriptions: [{ durable: 'shop-payments', stream: 'PAYMENTS_EVENTS', handler: parkingUnknown(shipPaidOrders(tenant)) }],
    ...options,
  });
}
