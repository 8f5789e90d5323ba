import { Module } from '@nestjs/common';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { Lease } from '@tidegate/database/lease';
import { inStatement } from '@tidegate/database/transaction';
import { serveDeadLetters } from '@tidegate/messaging/dead-letters.rpc';
import { serveOutboxRead } from '@tidegate/messaging/outbox-read.rpc';
import { parkingUnknown } from '@tidegate/messaging/park-unknown';
import { OutboxRelay } from '@tidegate/messaging/relay';
import { type RpcServer, serveRpc } from '@tidegate/messaging/rpc';
import { type Handler, Subscriber } from '@tidegate/messaging/subscriber';
import { eventReplays } from '@tidegate/service-host/event-replays';
import { everyLoop } from '@tidegate/service-host/loop';
import type { HostContext, ServiceParts, Startable } from '@tidegate/service-host/service-parts';
import { API_VERSION, createStripeAdapter } from '@tidegate/stripe-gateway/adapter';
import { modeOfKey } from '@tidegate/stripe-gateway/secret-key';
import { verify } from '@tidegate/stripe-gateway/signature';
import { openFleet } from '@tidegate/stripe-gateway/fleet/open-fleet';
import { withFleet } from '@tidegate/stripe-gateway/with-fleet';
import { withFailpoints } from '@tidegate/stripe-gateway/with-failpoints';
import { webhookEndpoints } from '@tidegate/stripe-gateway/webhook-endpoints';
import { withTelemetry } from '@tidegate/stripe-gateway/with-telemetry';
import type { WebhooksConfig } from './config.js';
import { answerEndpoints } from './endpoints/endpoints.rpc.js';
import { gathering } from './hint/gather.js';
import { erasureConsumer } from './erasure/erasure.consumer.js';
import { Erasure } from './erasure/erasure.loop.js';
import { Hints } from './hint/hint.loop.js';
import { Parked } from './hint/parked.loop.js';
import { Batcher } from './ingest/batcher.js';
import { deliveriesFirst, eventLoopBusy } from './ingest/deliveries-first.js';
import { insertFault } from './ingest/insert-fault.js';
import { ReceiveDelivery } from './ingest/receive.flow.js';
import { webhookRoute } from './ingest/webhook.route.js';
import { type Arrived, isHint } from './normalize/hint.decide.js';
import { BATCH, Normalize } from './normalize/normalize.loop.js';
import { outcomeConsumer } from './stripe-event/outcome.consumer.js';
import { outcomeProjection } from './stripe-event/outcome.projection.js';
import { Partitions } from './stripe-event/partitions.js';
import { answerGet, answerList, answerOperatorGet, answerOperatorList } from './stripe-event/stripe-event.rpc.js';
import { insertEvents, keyOf, type NewStripeEvent, oldestUnpublishedSeconds } from './stripe-event/stripe-event.store.js';
import { answerSetupGet, answerSetupRepair } from './stripe-setup/setup.rpc.js';
import { Replay } from './replay/replay.loop.js';
import { replayMetrics } from './replay/replay.metrics.js';
import { serveReplays } from './replay/serve-replays.js';
import { Retention } from './retention/retention.loop.js';
import { retentionMetrics } from './retention/retention.metrics.js';
import { OrderedSweep } from './sweep/ordered-sweep.loop.js';
import type { Found } from './sweep/read-window.js';
import { serveSweeps } from './sweep/serve-sweeps.js';
import { Sweep } from './sweep/sweep.loop.js';
import { sweepMetrics } from './sweep/sweep.metrics.js';
import { webhookMetrics } from './webhook-metrics.js';

export const SERVICE = 'webhooks';
const SIGNATURE_TOLERANCE_SECONDS = 300;
const POLL_MS = 1000;
const RETENTION_POLL_MS = 30_000;
const GATHER_MS = 100;
/** A pass of publishing costs a dozen round trips, however many events it takes. */
const GATHER_DELIVERIES_MS = 50;

/** Nest only carries the HTTP listener here. */
@Module({})
export class WebhooksModule {}

/** Joins the parts of the service with what its host gives them. */
export function setup(host: HostContext<WebhooksConfig>): ServiceParts {
  const { config, db, failpoints, clock, logger, broker, health, instance } = host;
  const lease = (name: string) => new Lease(db, name, instance);
  const metrics = webhookMetrics(host.metrics, () => oldestUnpublishedSeconds(db, clock.now()));
  const partitions = new Partitions(db, logger);
  const relay = new OutboxRelay({ db, broker, owner: SERVICE, failpoints, logger, metrics: host.metrics, lease: lease('relay') });
  const staged = () => relay.signal();

  const adapter = createStripeAdapter({
    secretKey: () => config.STRIPE_SECRET_KEY.value,
    ...(config.STRIPE_API_BASE ? { apiBase: config.STRIPE_API_BASE } : {}),
  });
  const calls = openFleet({ config, service: SERVICE, instance, logger, metrics: host.metrics });
  const guarded = withTelemetry(withFleet(adapter, calls.fleet), { metrics: host.metrics, logger });
  const stripe = (step: string) => withFailpoints(guarded, failpoints, step);

  const ours = { livemode: modeOfKey(config.STRIPE_SECRET_KEY.value) === 'live', apiVersion: API_VERSION };
  const isOurHint = (event: Arrived) => isHint(event, ours);
  const accountTenants = config.STRIPE_ACCOUNT_TENANTS;
  const asking = {
    db,
    failpoints,
    clock,
    logger,
    stripe: stripe(`${SERVICE}.hint.retrieve`),
    unanswered: () => metrics.stripeUnavailable('webhooks.hints'),
  };

  const replayed = replayMetrics(host.metrics, db);
  const replay = new Replay({
    db,
    failpoints,
    clock,
    logger,
    taken: (events) => {
      replayed.taken(events);
      normalizeLoop.signal?.();
      hintLoop.signal?.();
    },
  });
  const replayLoop = everyLoop({
    name: `${SERVICE}.replay`,
    intervalMs: POLL_MS,
    health,
    logger,
    leader: lease('replay'),
    runOnce: (run) => replay.runOnce(run),
  });
  const published = () => {
    staged();
    replayLoop.signal?.();
  };

  const insert = async (rows: NewStripeEvent[]) => {
    await partitions.ensureFor(
      rows.map((row) => row.created),
      clock.now(),
    );
    return inStatement({ db, failpoints }, `${SERVICE}.ingest.insert`, (one) => insertEvents(one, rows));
  };
  const batcher = new Batcher<NewStripeEvent>({ insert, keyOf, faultOf: insertFault });
  const normalize = new Normalize({ db, failpoints, clock, logger, accountTenants, staged: published });
  const busy = eventLoopBusy();
  const normalizeLoop = everyLoop({
    name: `${SERVICE}.normalize`,
    intervalMs: POLL_MS,
    health,
    logger,
    runOnce: async () => {
      await deliveriesFirst({ rowsLately: () => batcher.lately, busy });
      const done = await normalize.runOnce();
      // What came during a pass has signalled, and may gather before the next.
      return done < BATCH ? 0 : done;
    },
  });
  const hints = new Hints({ ...asking, accountTenants, staged: published });
  const hintLoop = everyLoop({
    name: `${SERVICE}.hints`,
    intervalMs: POLL_MS,
    health,
    logger,
    leader: lease('hints'),
    runOnce: (run) => hints.runOnce(run),
  });
  const parked = new Parked({ ...asking, released: () => normalizeLoop.signal?.() });
  const parkedLoop = everyLoop({
    name: `${SERVICE}.parked`,
    intervalMs: POLL_MS,
    health,
    logger,
    leader: lease('parked'),
    runOnce: (run) => parked.runOnce(run),
  });
  const sweepSettings = {
    everySeconds: config.WEBHOOKS_SWEEP_SECONDS,
    overlapSeconds: config.WEBHOOKS_SWEEP_OVERLAP_SECONDS ?? 2 * config.WEBHOOKS_SWEEP_SECONDS,
    settleSeconds: config.WEBHOOKS_SWEEP_SETTLE_SECONDS,
    alarmSeconds: config.WEBHOOKS_SWEEP_ALARM_SECONDS,
  };
  sweepMetrics(host.metrics, { db, clock, alarmSeconds: sweepSettings.alarmSeconds });
  const sweeping = {
    ...{ db, failpoints, clock, logger, partitions, settings: sweepSettings },
    stripe: stripe(`${SERVICE}.sweep.list`),
    unanswered: () => metrics.stripeUnavailable('webhooks.sweep'),
    isHint: isOurHint,
    found: ({ missed }: Found) => {
      metrics.missed(missed);
      hintLoop.signal?.();
      normalizeLoop.signal?.();
    },
  };
  const [sweep, orderedSweep] = [new Sweep(sweeping), new OrderedSweep(sweeping)];
  const sweepLoop = everyLoop({
    name: `${SERVICE}.sweep`,
    intervalMs: POLL_MS,
    health,
    logger,
    leader: lease('sweep'),
    runOnce: async (run) => (await sweep.runOnce(run)) + (await orderedSweep.runOnce(run)),
  });

  const retained = retentionMetrics(host.metrics, db, clock);
  const retention = new Retention({ db, clock, logger, keepSeconds: config.RETENTION_STRIPE_EVENTS, dropped: () => retained.dropped() });
  const erasure = new Erasure({ db, clock, logger });
  const erasureLoop = everyLoop({
    name: `${SERVICE}.erasure`,
    intervalMs: POLL_MS,
    health,
    logger,
    leader: lease('erasure'),
    runOnce: ({ alive }) => erasure.runOnce(alive),
  });
  const retentionLoop = everyLoop({
    name: `${SERVICE}.retention`,
    intervalMs: RETENTION_POLL_MS,
    health,
    logger,
    leader: lease('retention'),
    runOnce: () => retention.runOnce(),
  });

  const hintStored = gathering(() => hintLoop.signal?.(), GATHER_MS);
  const deliveryStored = gathering(() => normalizeLoop.signal?.(), GATHER_DELIVERIES_MS);
  const receiver = new ReceiveDelivery({
    isSigned: ({ raw, signature }) =>
      verify(raw, signature, config.STRIPE_WEBHOOK_SECRET.value, SIGNATURE_TOLERANCE_SECONDS, Math.floor(Date.now() / 1000)),
    batcher,
    isHint: isOurHint,
    stored: ({ is_hint }) => (is_hint ? hintStored() : deliveryStored()),
    metrics,
    logger,
  });

  const handlers = {
    payments: erasureConsumer({ clock, erased: () => erasureLoop.signal?.(), others: outcomeConsumer('payments', metrics) }),
    reconciliation: outcomeConsumer('reconciliation', metrics),
  };
  const subscriber = (of: 'payments' | 'reconciliation') =>
    new Subscriber({
      db,
      broker,
      failpoints,
      logger,
      metrics: host.metrics,
      clock,
      service: SERVICE,
      durable: `webhooks-outcomes-${of}`,
      stream: of === 'payments' ? 'PAYMENTS_EVENTS' : 'RECONCILIATION_EVENTS',
      handler: parkingUnknown<Handler>(handlers[of]),
    });
  const consumers = [subscriber('payments'), subscriber('reconciliation')];
  const endpoints = webhookEndpoints({ secretKey: () => config.STRIPE_SECRET_KEY.value, apiBase: config.STRIPE_API_BASE });
  const setup = { db, endpoints, secrets: () => config.STRIPE_WEBHOOK_SECRET.value, clock, logger };
  const eventReplay = eventReplays(host, SERVICE, { projections: [outcomeProjection] });
  const rpc = served(
    eventReplay.serve,
    () => serveOutboxRead(broker, db, SERVICE),
    () => serveDeadLetters({ broker, db, owner: SERVICE, logger, clock, consumers }),
    () => serveRpc(broker, RPC.webhookEventList, SERVICE, (request) => answerList(db, request)),
    () => serveRpc(broker, RPC.webhookEventGet, SERVICE, (request) => answerGet(db, request)),
    () => serveRpc(broker, RPC.operatorEventList, SERVICE, (request) => answerOperatorList(db, request)),
    () => serveRpc(broker, RPC.operatorEventGet, SERVICE, (request) => answerOperatorGet(db, request)),
    () =>
      serveRpc(broker, RPC.operatorEndpointList, SERVICE, (request) =>
        answerEndpoints({ ...setup, stripe: guarded, sweepEverySeconds: sweepSettings.everySeconds }, request),
      ),
    ...serveSweeps(broker, { db, clock, logger, settings: sweepSettings, ordered: () => sweepLoop.signal?.() }),
    ...serveReplays(broker, { db, clock, logger, ordered: () => replayLoop.signal?.() }),
    () => serveRpc(broker, RPC.stripeSetupGet, SERVICE, (request) => answerSetupGet(setup, request)),
    () => serveRpc(broker, RPC.stripeSetupRepair, SERVICE, (request) => answerSetupRepair(setup, request)),
  );

  return {
    module: WebhooksModule,
    loops: [relay, normalizeLoop, hintLoop, parkedLoop, sweepLoop, retentionLoop, erasureLoop, replayLoop, eventReplay.loop],
    consumers: [calls, ...consumers, rpc],
    configureHttp: (fastify) => webhookRoute(fastify, { receiver, logger }),
    stop: async () => {
      await batcher.idle();
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
