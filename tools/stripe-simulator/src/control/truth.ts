import { balanceView } from '../balance-transactions/routes.js';
import { eventView } from '../events/event.js';
import { type World } from '../world.js';

/** All state, Stripe objects as the API shows them. `?only=payment_intents,refunds` picks parts. */
export function truth(world: World, query: URLSearchParams): Record<string, unknown> {
  const parts: Readonly<Record<string, () => readonly unknown[]>> = {
    payment_intents: () => world.paymentIntents.all(),
    charges: () => world.charges.all(),
    refunds: () => world.refunds.all(),
    disputes: () => [],
    balance_transactions: () => world.balanceTransactions.all().map((transaction) => balanceView(world, transaction)),
    checkout_sessions: () => [],
    customers: () => world.customers.all(),
    subscriptions: () => [],
    invoices: () => [],
    payouts: () => [],
    meter_events: () => [],
    events: () => world.events.records.all().map(eventView),
    requests: () => world.requests.all(),
    webhook_deliveries: () => world.deliveries.all(),
  };
  const only = query.get('only')?.split(',');
  const names = Object.keys(parts).filter((name) => only === undefined || only.includes(name));
  return Object.fromEntries(names.map((name) => [name, parts[name]?.()]));
}
