import { type BalanceTransaction } from '../balance-transactions/balance-transaction.js';
import { balanceView } from '../balance-transactions/routes.js';
import { type Charge } from '../charges/charge.js';
import { type CheckoutSession } from '../checkout/session.js';
import { type Customer } from '../customers/customer.js';
import { type Dispute } from '../disputes/dispute.js';
import { disputeView } from '../disputes/view.js';
import { type StripeEvent, eventView } from '../events/event.js';
import { type RequestEntry } from '../http/request-log.js';
import { type Invoice } from '../invoices/invoice.js';
import { type MeterEvent } from '../meters/meter-event.js';
import { type PaymentIntent } from '../payment-intents/payment-intent.js';
import { type Payout } from '../payouts/payout.js';
import { type Refund } from '../refunds/refund.js';
import { type Subscription } from '../subscriptions/subscription.js';
import { type DeliveryAttempt } from '../webhooks/deliveries.js';
import { type World } from '../world.js';

/** All state, Stripe objects as the API shows them, oldest first. */
export interface Truth {
  readonly payment_intents: readonly PaymentIntent[];
  readonly charges: readonly Charge[];
  readonly refunds: readonly Refund[];
  readonly disputes: readonly Dispute[];
  readonly balance_transactions: readonly BalanceTransaction[];
  readonly checkout_sessions: readonly CheckoutSession[];
  readonly customers: readonly Customer[];
  readonly subscriptions: readonly Subscription[];
  readonly invoices: readonly Invoice[];
  readonly payouts: readonly Payout[];
  /** What counts: cancelled events are left out. */
  readonly meter_events: readonly MeterEvent[];
  readonly events: readonly StripeEvent[];
  readonly requests: readonly RequestEntry[];
  readonly webhook_deliveries: readonly DeliveryAttempt[];
}

/** Parts outside `only` are left out. */
export function truth(world: World, only?: readonly string[]): Truth {
  const parts: { readonly [Part in keyof Truth]: () => Truth[Part] } = {
    payment_intents: () => world.paymentIntents.all(),
    charges: () => world.charges.all(),
    refunds: () => world.refunds.all(),
    disputes: () => world.disputes.all().map((dispute) => disputeView(world, dispute)),
    balance_transactions: () => world.balanceTransactions.all().map((transaction) => balanceView(world, transaction)),
    checkout_sessions: () => world.checkoutSessions.all(),
    customers: () => world.customers.all(),
    subscriptions: () => world.subscriptions.all(),
    invoices: () => world.invoices.all(),
    payouts: () => world.payouts.all(),
    meter_events: () =>
      world.meterEvents
        .all()
        .filter(({ canceled }) => !canceled)
        .map(({ event }) => event),
    events: () => world.events.records.all().map(eventView),
    requests: () => [...world.requests.all()],
    webhook_deliveries: () => [...world.deliveries.all()],
  };
  const wanted = Object.entries(parts).filter(([name]) => only === undefined || only.includes(name));
  return Object.fromEntries(wanted.map(([name, read]) => [name, read()])) as unknown as Truth;
}
