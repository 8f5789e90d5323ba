import { balanceView } from '../balance-transactions/routes.js';
import { type BalanceTransaction } from '../balance-transactions/balance-transaction.js';
import { type EventDestination, destinationView } from '../event-destinations/event-destination.js';
import { type Stored } from '../store/collection.js';
import { type Endpoint, endpointView } from '../webhooks/endpoint.js';
import { type World } from '../world.js';

/** The kinds of objects that the page lists, by the name of their collection in the world. */
export const KINDS: Readonly<Record<string, string>> = {
  paymentIntents: 'Payments',
  charges: 'Charges',
  refunds: 'Refunds',
  disputes: 'Disputes',
  checkoutSessions: 'Checkout',
  customers: 'Customers',
  paymentMethods: 'Payment methods',
  setupIntents: 'Setup intents',
  subscriptions: 'Subscriptions',
  invoices: 'Invoices',
  products: 'Products',
  prices: 'Prices',
  meters: 'Meters',
  meterEvents: 'Meter events',
  balanceTransactions: 'Balance transactions',
  payouts: 'Payouts',
  endpoints: 'Webhook endpoints',
  eventDestinations: 'Event destinations',
};

/** An object as the API shows it, without the secrets of those that have some. */
export function shown(world: World, kind: string, item: Stored): object {
  if (kind === 'endpoints') return endpointView(item as Endpoint);
  if (kind === 'eventDestinations') return destinationView(item as EventDestination, ['webhook_endpoint.url']);
  if (kind === 'balanceTransactions') return balanceView(world, item as BalanceTransaction);
  return item;
}
