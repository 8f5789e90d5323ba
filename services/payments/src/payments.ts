import { type Failpoints } from '@tidegate/database/failpoints';
import { type Db } from '@tidegate/database/database';
import { Fleet } from '@tidegate/stripe-gateway/fleet/fleet';
import { type FleetChange } from '@tidegate/stripe-gateway/fleet/follower';
import { fleetMetrics } from '@tidegate/stripe-gateway/fleet/fleet-metrics';
import { withFleet } from '@tidegate/stripe-gateway/with-fleet';
import { BreakerPublisher } from './breakers/breaker.publish.js';
import { breakerHandlers } from './breakers/breaker.rpc.js';
import { withTelemetry } from '@tidegate/stripe-gateway/with-telemetry';
import { type StripePort } from '@tidegate/stripe-gateway/port';
import { type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type BreakerRules } from '@tidegate/resilience/breaker';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Metrics } from '@tidegate/telemetry/metrics';
import { type Kysely } from 'kysely';
import { type LatePolicy } from './checkout/checkout.events.js';
import { CustomerCheck } from './customer/customer.check.js';
import { objectParts } from './objects.js';
import { CarryOn } from './payment/carry-on.flow.js';
import { DecisionWriter } from './payment/decision-writer.js';
import { IntentFinder } from './payment/intent-finder.js';
import { PaymentFlow } from './payment/payment.flow.js';
import { PaymentLoop } from './payment/payment.loop.js';
import { PaymentMetrics } from './payment/payment.metrics.js';
import { readHandlers } from './payment/payment.read.js';
import { commandHandlers, type RouteHandler } from './payment/payment.rpc.js';
import { Recorder } from './payment/recorder.js';
import { repairHandlers } from './payment/repair.rpc.js';
import { soughtSoon } from './payment/sought.js';
import { StripeCalls } from './payment/stripe-calls.js';
import { ReceiptsConsumer } from './receipts/receipts.consumer.js';
import { operatorCheckoutHandlers } from './operator/operator-checkouts.rpc.js';
import { operatorPaymentHandlers } from './operator/operator-payments.rpc.js';
import { retryHandlers } from './retries/retries.rpc.js';
import { ParkedNews, registerParkedMetric } from './parked/parked.loop.js';
import { StripeEventsConsumer } from './stripe-events/stripe-events.consumer.js';
import { type PaymentsTables } from './tables.js';
import { LeaseKeeper } from './work/lease-keeper.js';
import { Signals } from './work/signals.js';
import { usageParts } from './usage/usage.parts.js';
import { closingOf, wakeAll, wakeHeld, wakeOne } from './work/wake.js';

/** What payments needs of the world. */
export interface PaymentsPorts {
  db: Kysely<PaymentsTables>;
  /** The bare adapter; breakers, limiter and telemetry are put around it here. */
  stripe: StripePort;
  /** For the breakers and the limiter of the fleet; its own connections, so that they wait behind no payment. */
  fleetDb: Db;
  /** Of Stripe's key as it is now. */
  keyFingerprint(): string;
  failpoints: Failpoints;
  clock: { now(): Date };
  logger: Logger;
  metrics: Metrics;
  instance: string;
  random(): number;
  /** New outbox rows are committed. */
  onCommitted(): void;
  /** A payment has work that is due: run the loop. */
  onWork(): void;
  /** A breaker is another than before: publish that. */
  onBreakerChange?(): void;
}

export interface PaymentsSettings {
  livemode: boolean;
  runMs: number;
  answerMs: number;
  windowMs: number;
  absenceMs: number;
  unmarked: 'adopt' | 'foreign';
  /** Tenant of what nobody else claims. */
  accountTenant: string;
  /** Payments that the loop of a process carries on at once. */
  concurrency: number;
  /** How long a checkout can be paid when the request does not say. */
  checkoutWindowMs: number;
  latePolicy: LatePolicy;
  breaker: BreakerRules;
  /** Requests per second that the fleet may make to Stripe. */
  requestsPerSecond: number;
  /** A call that takes longer counts as failed. */
  slowMs: number;
  /** Most calls of this process that are under way at once. */
  maxInFlight: number;
  /** How long usage waits for more of its hour before it is reported. */
  usageReportMs: number;
}

export interface PaymentsParts {
  handlers: Partial<Record<RpcSubject, RouteHandler>>;
  stripeEvents: StripeEventsConsumer;
  receipts: ReceiptsConsumer;
  fleet: Fleet;
  /** Puts the rules of breakers and limiter in force for the fleet, and begins to follow them. */
  start(): Promise<void>;
  /** Publishes what breakers did since; answers how many changes. */
  publishBreakers(): Promise<number>;
  /** One pass over the payments whose time has come; answers how many were begun. */
  carryOnOnce(patienceMs: number): Promise<number>;
  /** The same for checkouts, customers, subscriptions and invoices. */
  carryOnObjectsOnce(patienceMs: number): Promise<number>;
  /** Hands on Stripe's news whose checkout has arrived; answers how many wait no longer. */
  settleParkedOnce(): Promise<number>;
  /** Closes pages whose window is over and that nothing is planned for; answers how many. */
  sweepWindowsOnce(): Promise<number>;
  /** One pass over usage that is due to be reported; answers how many hours of how many customers were taken in hand. */
  reportUsageOnce(): Promise<number>;
  /** Counts usage whose customer has become known; answers of how many customers. */
  settleUnknownCustomersOnce(): Promise<number>;
  /** Resolves when nothing is in hand; then stops renewing leases. */
  stop(): Promise<void>;
}

/** The parts of the service joined with ports and settings; the same in production and in tests. */
export function payments(ports: PaymentsPorts, settings: PaymentsSettings): PaymentsParts {
  const { db, logger, clock, failpoints, instance, onCommitted, onWork } = ports;
  const fleet = new Fleet({
    db: ports.fleetDb,
    service: 'payments',
    instance,
    logger,
    keyFingerprint: () => ports.keyFingerprint(),
    slowMs: settings.slowMs,
    maxInFlight: settings.maxInFlight,
    onChange: (change) => breakerChanged(ports, change),
    onProbeDue: () => wakeProbe(ports),
  });
  fleetMetrics(ports.metrics, ports.fleetDb, fleet);
  const publisher = new BreakerPublisher({ db, onCommitted });
  const stripe = withTelemetry(withFleet(ports.stripe, fleet), { metrics: ports.metrics, logger });
  const metrics = new PaymentMetrics(ports.metrics, logger, db, () => clock.now());
  const calls = new StripeCalls({ db, stripe, failpoints });
  const writer = new DecisionWriter({ db, failpoints });
  const shared = { db, failpoints, writer, clock, signals: new Signals(), metrics, onCommitted, onWork };
  const keeper = new LeaseKeeper(db, logger);
  const finder = new IntentFinder({ stripe, clock, soughtSoon: () => soughtSoon(db, clock.now()) });
  const carrying = {
    ...shared,
    calls,
    finder,
    recorder: new Recorder(shared),
    keeper,
    logger,
    fleet,
    random: ports.random,
    absenceMs: settings.absenceMs,
  };
  const carryOn = new CarryOn(carrying);
  const flow = new PaymentFlow({ ...carrying, carryOn, instance, runMs: settings.runMs, answerMs: settings.answerMs });
  const loop = new PaymentLoop({ db, clock, carryOn, metrics, logger, instance, fleet, concurrency: settings.concurrency });
  const rules = { livemode: settings.livemode, unmarked: settings.unmarked, tenant: settings.accountTenant };

  const customers = new CustomerCheck({ db, stripe: calls.at('payments.customer.check') });
  const paymentCommands = commandHandlers({ flow, customers, clock, windowMs: settings.windowMs });
  const objects = objectParts(ports, settings, { ...carrying, stripe, rules, customers, paymentCommands });
  const stripeEvents = new StripeEventsConsumer({
    db,
    stripe,
    finder,
    clock,
    rules,
    metrics,
    checkouts: objects.news,
    billing: objects.billing,
    onCommitted,
    onWork,
  });
  const parked = new ParkedNews({ db, failpoints, clock, again: stripeEvents });
  registerParkedMetric(ports.metrics, db);
  const usage = usageParts(ports, settings, { stripe, fleet, customers });

  return {
    handlers: {
      ...paymentCommands,
      ...objects.handlers,
      ...readHandlers({ db, clock, onWork }),
      ...operatorPaymentHandlers({ db, clock, logger, onWork }),
      ...operatorCheckoutHandlers({ db, clock, commands: objects.handlers }),
      ...retryHandlers({ ...shared, logger }),
      ...breakerHandlers({ db, clock, logger, instance, changed: () => fleet.refresh() }),
      ...usage.handlers,
      ...repairHandlers({ db, stripe, finder, failpoints, clock, rules, onCommitted, onWork }),
    },
    stripeEvents,
    receipts: new ReceiptsConsumer(),
    fleet,
    start: async () => {
      await fleet.breakers.setRules(settings.breaker);
      await fleet.limiter.setRate(settings.requestsPerSecond);
      await fleet.start();
    },
    publishBreakers: () => publisher.runOnce(),
    carryOnOnce: (patienceMs) => loop.runOnce(patienceMs),
    carryOnObjectsOnce: objects.carryOnOnce,
    settleParkedOnce: () => parked.runOnce(),
    reportUsageOnce: () => usage.reporter.runOnce(),
    settleUnknownCustomersOnce: () => usage.unknown.runOnce(),
    sweepWindowsOnce: () => objects.sweep.runOnce(),
    stop: async () => {
      await Promise.all([flow.idle(), loop.idle(), objects.idle()]);
      keeper.stop();
      await fleet.stop();
    },
  };
}

/** Once Stripe answers again, everything that waits for it is due, and so is what this process may just have turned away. */
function breakerChanged({ db, clock, logger, instance, onWork, onBreakerChange }: PaymentsPorts, change: FleetChange): void {
  onBreakerChange?.();
  if (change.to !== 'closed') return;
  wakeHeld(db, instance, clock.now())
    .then(() => wakeAll(db, closingOf(change), clock.now()))
    .then(onWork, (err: unknown) => logger.warn({ event: 'wake_failed', err }, 'Waiting payments keep to their schedule'));
}

/** A probe is due: without new requests somebody who waits must make it. */
function wakeProbe({ db, clock, logger, onWork }: PaymentsPorts): void {
  wakeOne(db, clock.now()).then(
    (woken) => woken && onWork(),
    (err: unknown) => logger.warn({ event: 'wake_failed', err }, 'Waiting payments keep to their schedule'),
  );
}
