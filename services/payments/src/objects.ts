import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type Fleet } from '@tidegate/stripe-gateway/fleet/fleet';
import { type StripePort } from '@tidegate/stripe-gateway/port';
import { CarryOn as CheckoutCarryOn } from './checkout/carry-on.flow.js';
import { CheckoutFlow } from './checkout/checkout.flow.js';
import { CheckoutMetrics } from './checkout/checkout.metrics.js';
import { CheckoutNews } from './checkout/checkout.news.js';
import { checkoutReadHandlers } from './checkout/checkout.read.js';
import { checkoutHandlers } from './checkout/checkout.rpc.js';
import { carryCheckout } from './checkout/carry-one.js';
import { Recorder as CheckoutRecorder } from './checkout/recorder.js';
import { StripeCalls as CheckoutCalls } from './checkout/stripe-calls.js';
import { WindowSweep } from './checkout/window.loop.js';
import { windowHandlers } from './checkout/window.rpc.js';
import { carryCustomer, CustomerCarryOn } from './customer/carry-on.flow.js';
import { customerHandlers } from './customer/customer.rpc.js';
import { KeyedFlow } from './idempotency/keyed.flow.js';
import { invoiceReadHandlers } from './invoice/invoice.read.js';
import { BillingMetrics } from './observed/billing.metrics.js';
import { BillingNews } from './observed/billing.news.js';
import { operatorSubscriptionCommandHandlers } from './operator/subscription-commands.rpc.js';
import { Refetch } from './observed/refetch.flow.js';
import { refetchOne } from './observed/refetch.loop.js';
import { type AdoptionRules } from './stripe-events/adopt.js';
import { carrySubscriptionCommand, SubscriptionCarryOn } from './subscription/carry-on.flow.js';
import { subscriptionReadHandlers } from './subscription/subscription.read.js';
import { subscriptionHandlers } from './subscription/subscription.rpc.js';
import { type Held } from './work/work.store.js';
import { ObjectLoop } from './work/object.loop.js';
import { type CustomerCheck } from './customer/customer.check.js';
import { type CheckoutSession, type Customer as StripeCustomer } from '@tidegate/stripe-gateway/intent';
import { type CarryOn } from './payment/carry-on.flow.js';
import { LostObjects } from './work/lost-objects.js';
import { type RouteHandler } from './payment/payment.rpc.js';
import { type PaymentsPorts, type PaymentsSettings } from './payments.js';

interface ObjectPorts extends Omit<ConstructorParameters<typeof CarryOn>[0], 'calls' | 'recorder'> {
  fleet: Fleet;
  stripe: StripePort;
  rules: AdoptionRules;
  customers: CustomerCheck;
  paymentCommands: Partial<Record<RpcSubject, RouteHandler>>;
}

/** The parts of checkouts, customers, subscriptions and invoices, joined as those of payments are. */
export function objectParts(ports: PaymentsPorts, settings: PaymentsSettings, shared: ObjectPorts) {
  const { db, clock, logger, failpoints, instance, onCommitted, onWork } = ports;
  const { stripe, customers, paymentCommands } = shared;
  const checkoutMetrics = new CheckoutMetrics(ports.metrics, logger, db, () => clock.now());
  const keyed = new KeyedFlow({ ...shared, keys: shared.metrics, instance, runMs: settings.runMs });
  const recorder = new CheckoutRecorder({ ...shared, checkoutMetrics });
  const refund = paymentCommands[RPC.paymentRefund];
  if (!refund) throw new Error('Bug: nobody refunds');
  const latePolicy = settings.latePolicy;
  const calls = new CheckoutCalls({ db, stripe, failpoints });
  const lostSessions = new LostObjects<CheckoutSession>({
    db,
    list: (query) => calls.at('payments.checkout.lookup_list').listCheckoutSessions(query),
    retrieve: (id) => calls.at('payments.checkout.lookup').retrieveCheckoutSession(id),
    marked: 'checkout_id',
  });
  const carryOn = new CheckoutCarryOn({ ...shared, checkoutMetrics, calls, recorder, latePolicy, refund, lost: lostSessions });
  const lostCustomers = new LostObjects<StripeCustomer>({
    db,
    list: (query) => calls.at('payments.customer.lookup_list').listCustomers(query),
    retrieve: (id) => calls.at('payments.customer.lookup_list').retrieveCustomer(id),
    marked: 'command_id',
  });
  const customerCarryOn = new CustomerCarryOn({ ...shared, lost: lostCustomers });
  const carryOne = (held: Held) => carryCheckout({ db, carryOn, logger, checkoutMetrics }, held);
  const checkoutLoop = new ObjectLoop({ db, clock, instance, kind: 'cks', fleet: shared.fleet, carryOne });
  const customerLoop = new ObjectLoop({
    db,
    clock,
    instance,
    kind: 'cst',
    fleet: shared.fleet,
    carryOne: (held) => carryCustomer(customerCarryOn, logger, held),
  });
  const billingMetrics = new BillingMetrics(ports.metrics, logger, db, () => clock.now());
  const refetch = new Refetch({ ...shared, billingMetrics });
  const refetching = { ...shared, refetch, billingMetrics };
  const refetchLoops = (['sub', 'in'] as const).map(
    (kind) => new ObjectLoop({ db, clock, instance, kind, fleet: shared.fleet, carryOne: (held) => refetchOne(refetching, held) }),
  );
  const { windowMs, absenceMs } = settings;
  const subscriptionCarryOn = new SubscriptionCarryOn({ ...shared, refetch, billingMetrics, windowMs, absenceMs });
  const commandLoop = new ObjectLoop({
    db,
    clock,
    instance,
    kind: 'sbc',
    fleet: shared.fleet,
    carryOne: (held) => carrySubscriptionCommand({ carryOn: subscriptionCarryOn, logger, billingMetrics }, held),
  });
  const loops = [commandLoop, checkoutLoop, customerLoop, ...refetchLoops];
  const flow = new CheckoutFlow({ ...shared, checkoutMetrics, keyed, carryOn, recorder });
  const sweep = new WindowSweep({ db, clock, logger, instance, carryOne, onWork });
  return {
    sweep,
    news: new CheckoutNews({ clock, logger, signals: shared.signals, checkoutMetrics, latePolicy }),
    billing: new BillingNews({ clock, rules: shared.rules, billingMetrics }),
    refetch,
    handlers: {
      ...subscriptionHandlers({ db, failpoints, clock, keyed, carryOn: subscriptionCarryOn, customers }),
      ...subscriptionReadHandlers({ db, clock, onWork }),
      ...operatorSubscriptionCommandHandlers({ db, clock, logger, signals: shared.signals, billingMetrics, instance, onWork }),
      ...invoiceReadHandlers({ db }),
      ...checkoutHandlers({ flow, customers, clock, windowMs: settings.checkoutWindowMs }),
      ...checkoutReadHandlers({ db, clock, onWork }),
      ...windowHandlers({ db, clock, logger, sweep, runMs: settings.runMs }),
      ...customerHandlers({ db, failpoints, clock, logger, keyed, carryOn: customerCarryOn, instance, onCommitted }),
    },
    carryOnOnce: async (patienceMs: number) => {
      const begun = await Promise.all(loops.map((loop) => loop.runOnce(patienceMs)));
      return begun.reduce((sum, one) => sum + one, 0);
    },
    idle: async () => void (await Promise.all([keyed.idle(), ...loops.map((loop) => loop.idle())])),
  };
}
