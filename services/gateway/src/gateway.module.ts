import { RPC } from '@tidegate/contracts/rpc/routes';
import { type RpcServer, serveRpc } from '@tidegate/messaging/rpc';
import type { HostContext, ServiceParts, Startable } from '@tidegate/service-host/host';
import type { GatewayConfig } from './config.js';
import { hashOf } from './api-key/key-format.js';
import { apiKeyHandlers } from './api-key/api-key.here.js';
import { findApiKey } from './api-key/api-key.store.js';
import { Authenticator } from './api-key/authenticator.js';
import { askForMode, StripeMode } from './api-key/stripe-mode.js';
import { BillingStream } from './billing-stream/billing-stream.js';
import { BillingStreamController, STREAM } from './billing-stream/billing-stream.controller.js';
import { streamMetrics } from './billing-stream/billing-stream.metrics.js';
import { installCrossOrigin } from './billing-stream/cross-origin.js';
import { streamTokenHandlers } from './billing-stream/stream-token.here.js';
import { callerOfToken } from './billing-stream/stream-token.store.js';
import { ENDPOINTS } from './endpoints.js';
import { holdHandlers } from './hold/hold.here.js';
import { Hold } from './hold/hold.js';
import { holdMetrics } from './hold/hold.metrics.js';
import { findHold } from './hold/hold.store.js';
import { installAuthentication } from './http/authentication.js';
import { Forwarder } from './http/forwarder.js';
import { BILLING_STREAM } from './http/here.js';
import { installJsonBody } from './http/json-body.js';
import { ProblemFilter } from './http/problem.filter.js';
import { restController } from './http/rest-controller.js';
import { Audit } from './ops/audit.js';
import { questionsToAll } from './ops/questions-to-all.js';
import { DocsController } from './openapi/docs.controller.js';
import { PublicReceiptsController } from './receipts/public-receipts.controller.js';
import { tenantHandlers } from './tenant/tenant.here.js';
import { tenantGet } from './tenant/tenant.rpc.js';
import { findTenant } from './tenant/tenant.store.js';

/** Where the gateway's parts meet. */
export function gateway(context: HostContext<GatewayConfig>): ServiceParts {
  const { config, broker, clock, db, logger, metrics, rpc } = context;
  const authenticator = new Authenticator((id) => findApiKey(db, id));
  const stream = billingStream(context, authenticator);
  const mode = new StripeMode(() => askForMode(rpc));
  const audit = new Audit({ db, clock, logger });
  const hold = new Hold(async () => (await findHold(db)) !== undefined);
  holdMetrics(metrics, { db, clock });
  const here = {
    ...tenantHandlers(db, audit),
    ...apiKeyHandlers({ db, audit, forget: (id) => authenticator.forget(id) }),
    ...questionsToAll(rpc, broker),
    ...streamTokenHandlers(db, stream),
    ...holdHandlers({ db, audit, hold, clock }),
  };
  const problems = new ProblemFilter(logger);
  return {
    module: {
      controllers: [
        ...ENDPOINTS.filter(({ rpc }) => rpc !== BILLING_STREAM).map(restController),
        BillingStreamController,
        DocsController,
        PublicReceiptsController,
      ],
      providers: [
        { provide: Forwarder, useValue: new Forwarder(rpc, logger, config.GATEWAY_ANSWER_MS, here) },
        { provide: Hold, useValue: hold },
        { provide: STREAM, useValue: stream },
      ],
    },
    filters: [problems],
    loops: stream ? [stream.loop] : [],
    consumers: [
      ...(stream ? [stream.consumer] : []),
      rpcServer(() =>
        serveRpc(
          broker,
          RPC.tenantGet,
          'gateway',
          tenantGet((id) => findTenant(db, id)),
        ),
      ),
    ],
    configureHttp(fastify) {
      installJsonBody(fastify);
      installCrossOrigin(fastify, config.BILLING_STREAM_ORIGINS ?? []);
      const tokens = { callerOfToken: (token: string) => callerOfToken(db, hashOf(token), new Date()) };
      installAuthentication(fastify, { authenticator, ...tokens, mode }, logger);
    },
    onFrameworkError: (error, request, reply) => problems.answer(error, request, reply),
  };
}

/** Null while it is switched off. */
function billingStream(
  { config, broker, rpc, logger, health, metrics }: HostContext<GatewayConfig>,
  authenticator: Authenticator,
): BillingStream | null {
  const observed = streamMetrics(metrics);
  if (!config.ENABLE_BILLING_STREAM) return null;
  return new BillingStream({
    broker,
    rpc,
    logger,
    health,
    metrics: observed,
    limits: {
      maxConnections: config.BILLING_STREAM_MAX_CONNECTIONS,
      maxAgeMs: config.BILLING_STREAM_MAX_AGE_SECONDS * 1000,
      heartbeatMs: config.BILLING_STREAM_HEARTBEAT_SECONDS * 1000,
      stallMs: config.BILLING_STREAM_STALL_SECONDS * 1000,
    },
    stillGood: (caller) => authenticator.stillGood(caller),
  });
}

function rpcServer(serve: () => RpcServer): Startable {
  let server: RpcServer | undefined;
  return {
    start: () => Promise.resolve(void (server = serve())),
    stop: async () => server?.stop(),
  };
}
