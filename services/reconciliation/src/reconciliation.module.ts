import { Module } from '@nestjs/common';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { Lease } from '@tidegate/database/lease';
import { serveDeadLetters } from '@tidegate/messaging/dead-letters.rpc';
import { serveOutboxRead } from '@tidegate/messaging/outbox-read.rpc';
import { parkingUnknown } from '@tidegate/messaging/park-unknown';
import { OutboxRelay } from '@tidegate/messaging/relay';
import { type RpcServer, serveRpc } from '@tidegate/messaging/rpc';
import { Subscriber } from '@tidegate/messaging/subscriber';
import { eventReplays } from '@tidegate/service-host/event-replays';
import { everyLoop } from '@tidegate/service-host/loop';
import type { HostContext, ServiceParts, Startable } from '@tidegate/service-host/service-parts';
import { createStripeAdapter } from '@tidegate/stripe-gateway/adapter';
import { openFleet } from '@tidegate/stripe-gateway/fleet/open-fleet';
import { withFleet } from '@tidegate/stripe-gateway/with-fleet';
import { withFailpoints } from '@tidegate/stripe-gateway/with-failpoints';
import { withTelemetry } from '@tidegate/stripe-gateway/with-telemetry';
import { inboxProgress } from './compare/inbox-progress.js';
import { usageOverRpc } from './compare/usage.rpc.js';
import { isLivemode, type ReconciliationConfig } from './config.js';
import { answerBalances } from './ledger/balances.rpc.js';
import { readBalance } from './ledger/balance.loop.js';
import { ledgerRepair } from './ledger/repair.js';
import { paymentsProjector } from './projection/payments.consumer.js';
import { projections } from './projection/projections.js';
import { receiptsProjector } from './projection/receipts.consumer.js';
import { stripeEventsProjector } from './projection/stripe-events.consumer.js';
import { reconciliationMetrics } from './reconciliation-metrics.js';
import { repairOverRpc } from './repair/repair.rpc.js';
import { ping } from './run/ping.js';
import { runOnce } from './run/run.loop.js';
import { answerCreate, answerDiscrepancies, answerDiscrepanciesCsv, answerGet, answerList, ofEveryTenant } from './run/run.rpc.js';
import { answerStatus } from './run/status.rpc.js';
import { parseCron } from './schedule/cron.decide.js';
import { makeDueRuns } from './schedule/schedule.loop.js';
import { resolveStale } from './stale/stale.loop.js';

export const SERVICE = 'reconciliation';
/** Whom objects belong to that nobody claims, unless STRIPE_ACCOUNT_TENANTS says otherwise. */
const DEFAULT_TENANT = 'default';
const POLL_MS = 1000;
/** Time for news that were on their way during the first read. */
const SECOND_READ_PAUSE_MS = 1000;

/** Nest only carries the HTTP listener here. */
@Module({})
export class ReconciliationModule {}

/** Joins the parts of the service with what its host gives them. */
export function setup(host: HostContext<ReconciliationConfig>): ServiceParts {
  const { config, db, failpoints, clock, logger, broker, health, instance } = host;
  const lease = (name: string) => new Lease(db, name, instance);
  const livemode = isLivemode(config);
  const metrics = reconciliationMetrics(host.metrics, db, host.config.RECONCILIATION_ROLLING_SECONDS);
  const relay = new OutboxRelay({ db, broker, owner: SERVICE, failpoints, logger, metrics: host.metrics, lease: lease('relay') });
  const staged = () => relay.signal();

  const adapter = createStripeAdapter({
    secretKey: () => config.STRIPE_SECRET_KEY.value,
    ...(config.STRIPE_API_BASE ? { apiBase: config.STRIPE_API_BASE } : {}),
  });
  const calls = openFleet({ config, service: SERVICE, instance, logger, metrics: host.metrics });
  const guarded = withTelemetry(withFleet(adapter, calls.fleet), { metrics: host.metrics, logger });
  const stripe = withFailpoints(guarded, failpoints, `${SERVICE}.run.read`);
  const repair = repairOverRpc(host.rpc, livemode);
  const patienceMs = config.RECONCILIATION_PATIENCE_SECONDS * 1000;

  const accountTenant = config.STRIPE_ACCOUNT_TENANTS.get('own') ?? DEFAULT_TENANT;

  const balance = {
    ...{ db, failpoints, clock, logger, metrics, staged, patienceMs },
    stripe: withFailpoints(guarded, failpoints, `${SERVICE}.balance.read`),
    attribution: { accountTenant, unmarked: config.UNMARKED_INTENTS },
    quietMs: config.RECONCILIATION_QUIET_SECONDS * 1000,
  };

  const runs = {
    db,
    failpoints,
    clock,
    logger,
    metrics,
    stripe,
    repair,
    ledger: ledgerRepair(balance),
    staged,
    succeeded: () => {
      if (config.RECONCILIATION_PING_URL) void ping(config.RECONCILIATION_PING_URL, logger);
    },
    patienceMs,
    inbox: inboxProgress(db, host.rpc, patienceMs),
    usage: usageOverRpc(host.rpc, { livemode, patienceMs, now: () => clock.now() }),
    rules: { livemode, unmarked: config.UNMARKED_INTENTS, accountTenant },
    deadlineMs: config.RECONCILIATION_DEADLINE_SECONDS * 1000,
    quietMs: config.RECONCILIATION_QUIET_SECONDS * 1000,
    roundMs: SECOND_READ_PAUSE_MS,
  };
  const runLoop = everyLoop({
    name: `${SERVICE}.runs`,
    intervalMs: POLL_MS,
    health,
    logger,
    leader: lease('runs'),
    runOnce: ({ stopping, alive }) => runOnce(runs, stopping, alive),
  });
  const rollingLoop = everyLoop({
    name: `${SERVICE}.rolling`,
    intervalMs: POLL_MS,
    health,
    logger,
    leader: lease('rolling'),
    runOnce: ({ stopping, alive }) => runOnce(runs, stopping, alive, 'rolling'),
  });
  const scheduleLoop = everyLoop({
    name: `${SERVICE}.schedule`,
    intervalMs: POLL_MS,
    health,
    logger,
    leader: lease('schedule'),
    runOnce: () =>
      makeDueRuns({
        db,
        failpoints,
        clock,
        logger,
        cron: parseCron(config.RECONCILIATION_CRON),
        days: config.RECONCILIATION_DAYS,
        rollingSeconds: config.RECONCILIATION_ROLLING_SECONDS,
        mode: config.RECONCILIATION_SCHEDULED_MODE,
        requested: () => {
          runLoop.signal?.();
          rollingLoop.signal?.();
        },
      }),
  });
  const staleSeconds = config.RECONCILIATION_STALE_SECONDS;
  const staleLoop = everyLoop({
    name: `${SERVICE}.stale`,
    intervalMs: staleSeconds * 1000,
    health,
    logger,
    leader: lease('stale'),
    runOnce: ({ stopping, alive }) => resolveStale({ db, clock, logger, metrics, repair, staleSeconds }, stopping, alive),
  });

  const balanceLoop = everyLoop({
    name: `${SERVICE}.balance`,
    intervalMs: config.RECONCILIATION_FEES_SECONDS * 1000,
    health,
    logger,
    leader: lease('balance'),
    runOnce: ({ stopping, alive }) => readBalance(balance, stopping, alive),
  });

  const consumer = { db, broker, failpoints, logger, metrics: host.metrics, clock, service: SERVICE };
  const api = { db, failpoints, clock, logger, requested: () => runLoop.signal?.() };
  const consumers = [
    new Subscriber({
      ...consumer,
      durable: 'reconciliation-payments',
      stream: 'PAYMENTS_EVENTS',
      handler: parkingUnknown(paymentsProjector),
    }),
    new Subscriber({
      ...consumer,
      durable: 'reconciliation-stripe-events',
      stream: 'STRIPE_EVENTS',
      handler: parkingUnknown(stripeEventsProjector({ livemode, staged })),
    }),
    new Subscriber({
      ...consumer,
      durable: 'reconciliation-receipts',
      stream: 'RECEIPTS_EVENTS',
      handler: parkingUnknown(receiptsProjector),
    }),
  ];
  const replays = eventReplays(host, SERVICE, { projections: projections(livemode) });
  const rpc = served(
    replays.serve,
    () => serveOutboxRead(broker, db, SERVICE),
    () => serveDeadLetters({ broker, db, owner: SERVICE, logger, clock, consumers }),
    () => serveRpc(broker, RPC.runCreate, SERVICE, (request) => answerCreate(api, request)),
    () => serveRpc(broker, RPC.runGet, SERVICE, (request) => answerGet(api, request)),
    () => serveRpc(broker, RPC.runList, SERVICE, (request) => answerList(api, request)),
    () => serveRpc(broker, RPC.ledgerBalances, SERVICE, (request) => answerBalances({ db, clock }, request)),
    () => serveRpc(broker, RPC.runDiscrepancies, SERVICE, (request) => answerDiscrepancies(api, request)),
    () => serveRpc(broker, RPC.operatorReconciliation, SERVICE, () => answerStatus({ db, clock, config })),
    () => serveRpc(broker, RPC.operatorRunCreate, SERVICE, (request) => answerCreate(api, ofEveryTenant(request))),
    () => serveRpc(broker, RPC.operatorRunGet, SERVICE, (request) => answerGet(api, ofEveryTenant(request))),
    () => serveRpc(broker, RPC.operatorRunList, SERVICE, (request) => answerList(api, ofEveryTenant(request))),
    () => serveRpc(broker, RPC.operatorRunDiscrepancies, SERVICE, (request) => answerDiscrepancies(api, ofEveryTenant(request))),
    () => serveRpc(broker, RPC.runDiscrepanciesCsv, SERVICE, (request) => answerDiscrepanciesCsv(api, request)),
  );

  return {
    module: ReconciliationModule,
    loops: [relay, runLoop, rollingLoop, scheduleLoop, staleLoop, balanceLoop, replays.loop],
    consumers: [calls, ...consumers, rpc],
    stop: async () => {
      await calls.close();
      adapter.close();
    },
  };
}

/** Request subjects that are answered from start to stop. */
function served(...serve: (() => RpcServer)[]): Startable {
  let servers: RpcServer[] = [];
  return {
    start: async () => {
      servers = serve.map((one) => one());
    },
    stop: async () => void (await Promise.all(servers.map((one) => one.stop()))),
  };
}
