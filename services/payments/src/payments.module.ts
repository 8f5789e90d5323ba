import { Module } from '@nestjs/common';
import { type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { Lease } from '@tidegate/database/lease';
import { serveDeadLetters } from '@tidegate/messaging/dead-letters.rpc';
import { serveOutboxRead } from '@tidegate/messaging/outbox-read.rpc';
import { parkingUnknown } from '@tidegate/messaging/park-unknown';
import { OutboxRelay } from '@tidegate/messaging/relay';
import { type RpcServer, serveRpc } from '@tidegate/messaging/rpc';
import { type Handler, Subscriber } from '@tidegate/messaging/subscriber';
import { eventReplays } from '@tidegate/service-host/event-replays';
import { everyLoop, type Loop } from '@tidegate/service-host/loop';
import type { HostContext, ServiceParts, Startable } from '@tidegate/service-host/service-parts';
import { createStripeAdapter } from '@tidegate/stripe-gateway/adapter';
import { openFleetDatabase } from '@tidegate/stripe-gateway/fleet/open-fleet';
import { modeOfKey } from '@tidegate/stripe-gateway/secret-key';
import type { PaymentsConfig } from './config.js';
import { served } from './payment/payment.rpc.js';
import { CARRY_ON_INTERVAL_MS, PATIENCE_MS } from './payment/payment.loop.js';
import { replayable } from './replayable.js';
import { SWEEP_INTERVAL_MS } from './checkout/window.loop.js';
import { PARKED_INTERVAL_MS } from './parked/parked.loop.js';
import { REPORT_INTERVAL_MS } from './usage/reporter.js';
import { UNKNOWN_CUSTOMERS_INTERVAL_MS } from './usage/unknown-customers.loop.js';
import { ANSWERS_INTERVAL_MS, forgetAnswersOnce } from './retention/answers.loop.js';
import { DueLook } from './work/due-look.js';
import { type DueKind } from './work/next-due.js';
import { OBJECT_INTERVAL_MS } from './work/object.loop.js';
import { OBJECT_KINDS } from './work/work.store.js';
import { payments, type PaymentsSettings } from './payments.js';
import { stripeCheckHandlers } from './stripe-check/stripe-check.rpc.js';

export const SERVICE = 'payments';
/** Longest pause between two looks for changes of breakers: this process hears of them as it reads the breakers. */
const PUBLISH_BREAKERS_MS = 5_000;

/** Nest only carries the HTTP listener here. */
@Module({})
export class PaymentsModule {}

/** Joins the service with what its host gives it. */
export function setup(host: HostContext<PaymentsConfig>): ServiceParts {
  const { config, db, broker, failpoints, clock, logger, metrics, health, instance } = host;
  const adapter = createStripeAdapter({
    secretKey: () => config.STRIPE_SECRET_KEY.value,
    deadlineMs: config.STRIPE_DEADLINE_MS,
    ...(config.STRIPE_API_BASE ? { apiBase: config.STRIPE_API_BASE } : {}),
  });
  const fleetDatabase = openFleetDatabase(host);
  const relay = new OutboxRelay({ db, broker, owner: SERVICE, failpoints, logger, metrics, lease: new Lease(db, 'relay', instance) });
  const settings = settingsOf(config);
  const parts = payments(
    {
      db,
      stripe: adapter,
      fleetDb: fleetDatabase.db,
      keyFingerprint: () => config.STRIPE_SECRET_KEY.fingerprint,
      failpoints,
      clock,
      logger,
      metrics,
      instance,
      random: Math.random,
      onCommitted: () => relay.signal(),
      onWork: () => {
        due.signal('pay');
        carryOn.signal?.();
        objects.signal?.();
      },
      onBreakerChange: () => breakers.signal?.(),
    },
    settings,
  );
  const check = stripeCheckHandlers({
    secretKey: () => config.STRIPE_SECRET_KEY.value,
    apiBase: config.STRIPE_API_BASE,
    deadlineMs: config.STRIPE_DEADLINE_MS,
    statusUrl: config.STRIPE_STATUS_URL,
    instance,
  });
  const due = new DueLook({
    db,
    clock,
    found: (kinds) => {
      const others: Partial<Record<DueKind, Loop>> = { pay: carryOn, usage, usage_customers: unknownCustomers, parked_news: parked };
      for (const kind of kinds) (others[kind] ?? objects).signal?.();
    },
  });
  const carryOn = everyLoop({
    name: 'payments.carry_on',
    intervalMs: CARRY_ON_INTERVAL_MS,
    runOnce: () => due.pass(['pay'], () => parts.carryOnOnce(PATIENCE_MS)),
    health,
    logger,
  });
  const breakers = everyLoop({
    name: 'payments.breakers',
    intervalMs: PUBLISH_BREAKERS_MS,
    runOnce: () => parts.publishBreakers(),
    health,
    logger,
  });
  const objects = everyLoop({
    name: 'payments.carry_on_checkouts',
    intervalMs: OBJECT_INTERVAL_MS,
    runOnce: () => due.pass(OBJECT_KINDS, () => parts.carryOnObjectsOnce(PATIENCE_MS)),
    health,
    logger,
  });
  const parked = everyLoop({
    name: 'payments.parked',
    intervalMs: PARKED_INTERVAL_MS,
    runOnce: () => due.pass(['parked_news'], () => parts.settleParkedOnce()),
    health,
    logger,
  });
  const windows = everyLoop({
    name: 'payments.window_sweep',
    intervalMs: SWEEP_INTERVAL_MS,
    runOnce: () => parts.sweepWindowsOnce(),
    health,
    logger,
  });
  const usage = everyLoop({
    name: 'payments.usage',
    intervalMs: REPORT_INTERVAL_MS,
    runOnce: () => due.pass(['usage'], () => parts.reportUsageOnce()),
    health,
    logger,
  });
  const answers = everyLoop({
    name: 'payments.retention',
    intervalMs: ANSWERS_INTERVAL_MS,
    runOnce: () => forgetAnswersOnce({ db, clock, logger, keepMs: config.RETENTION_REPLIES * 1000 }),
    health,
    logger,
  });
  const unknownCustomers = everyLoop({
    name: 'payments.usage_customers',
    intervalMs: UNKNOWN_CUSTOMERS_INTERVAL_MS,
    runOnce: () => due.pass(['usage_customers'], () => parts.settleUnknownCustomersOnce()),
    health,
    logger,
  });

  const consumer = (
    durable: string,
    stream: 'STRIPE_EVENTS' | 'RECEIPTS_EVENTS',
    handler: typeof parts.stripeEvents | typeof parts.receipts,
  ) =>
    new Subscriber({
      db,
      broker,
      failpoints,
      logger,
      metrics,
      clock,
      service: SERVICE,
      durable,
      stream,
      handler: parkingUnknown<Handler>(handler),
    });

  const consumers = [
    consumer('payments-stripe-events', 'STRIPE_EVENTS', parts.stripeEvents),
    consumer('payments-receipts', 'RECEIPTS_EVENTS', parts.receipts),
  ];
  const replays = eventReplays(host, SERVICE, replayable);

  return {
    module: PaymentsModule,
    loops: [relay, breakers, carryOn, objects, parked, windows, usage, unknownCustomers, answers, replays.loop],
    consumers: [
      ...consumers,
      requests(
        () => parts.start(),
        () => serveOutboxRead(broker, db, SERVICE),
        () => serveDeadLetters({ broker, db, owner: SERVICE, logger, clock, consumers }),
        replays.serve,
        ...Object.entries({ ...parts.handlers, ...check }).map(
          ([subject, handler]) =>
            () =>
              serveRpc(broker, subject as RpcSubject, SERVICE, served(handler, { logger, livemode: settings.livemode })),
        ),
      ),
    ],
    stop: async () => {
      await parts.stop();
      await fleetDatabase.close();
      adapter.close();
    },
  };
}

export function settingsOf(config: PaymentsConfig): PaymentsSettings {
  return {
    livemode: modeOfKey(config.STRIPE_SECRET_KEY.value) === 'live',
    runMs: config.PAYMENT_RUN_MS,
    answerMs: config.PAYMENT_ANSWER_MS,
    windowMs: config.PAYMENT_NOT_AFTER_SECONDS * 1000,
    absenceMs: config.REFUND_ABSENCE_SECONDS * 1000,
    unmarked: config.UNMARKED_INTENTS,
    accountTenant: config.STRIPE_ACCOUNT_TENANTS.get('own') ?? 'default',
    concurrency: config.PAYMENTS_CONCURRENCY,
    checkoutWindowMs: config.PAYMENT_WINDOW_HOURS * 3_600_000,
    latePolicy: config.LATE_SUCCESS_POLICY,
    breaker: {
      threshold: config.CIRCUIT_BREAKER_FAILURE_THRESHOLD,
      ratio: config.CIRCUIT_BREAKER_FAILURE_RATIO,
      windowMs: config.CIRCUIT_BREAKER_ROLLING_WINDOW * 1000,
      recoveryMs: config.CIRCUIT_BREAKER_RECOVERY_TIMEOUT * 1000,
    },
    requestsPerSecond: config.STRIPE_REQUEST_RATE_LIMIT,
    slowMs: config.STRIPE_SLOW_CALL_MS,
    maxInFlight: config.STRIPE_MAX_IN_FLIGHT,
    usageReportMs: config.USAGE_REPORT_SECONDS * 1000,
  };
}

/** Request subjects that are answered from start to stop; nobody is kept waiting for what this process has yet to learn. */
function requests(ready: () => Promise<void>, ...serve: (() => RpcServer)[]): Startable {
  let servers: RpcServer[] = [];
  let stopped = false;
  return {
    name: 'requests',
    start: async () => {
      await ready();
      // Nobody would stop those again.
      if (!stopped) servers = serve.map((one) => one());
    },
    stop: async () => {
      stopped = true;
      await Promise.all(servers.map((one) => one.stop()));
    },
  };
}
