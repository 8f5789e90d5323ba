import { RPC } from '@tidegate/contracts/rpc/routes';
import { type RpcServer, serveRpc } from '@tidegate/messaging/rpc';
import type { HostContext, ServiceParts, Startable } from '@tidegate/service-host/host';
import type { GatewayConfig } from './config.js';
import { apiKeyHandlers } from './api-key/api-key.here.js';
import { findApiKey } from './api-key/api-key.store.js';
import { Authenticator } from './api-key/authenticator.js';
import { ENDPOINTS } from './endpoints.js';
import { installAuthentication } from './http/authentication.js';
import { Forwarder } from './http/forwarder.js';
import { installJsonBody } from './http/json-body.js';
import { ProblemFilter } from './http/problem.filter.js';
import { restController } from './http/rest-controller.js';
import { Audit } from './ops/audit.js';
import { questionsToAll } from './ops/questions-to-all.js';
import { DocsController } from './openapi/docs.controller.js';
import { tenantHandlers } from './tenant/tenant.here.js';
import { tenantGet } from './tenant/tenant.rpc.js';
import { findTenant } from './tenant/tenant.store.js';

/** Where the gateway's parts meet. */
export function gateway({ config, broker, clock, db, logger, rpc }: HostContext<GatewayConfig>): ServiceParts {
  const authenticator = new Authenticator((id) => findApiKey(db, id));
  const audit = new Audit({ db, clock, logger });
  const here = {
    ...tenantHandlers(db, audit),
    ...apiKeyHandlers({ db, audit, forget: (id) => authenticator.forget(id) }),
    ...questionsToAll(rpc, broker),
  };
  const problems = new ProblemFilter(logger);
  return {
    module: {
      controllers: [...ENDPOINTS.map(restController), DocsController],
      providers: [{ provide: Forwarder, useValue: new Forwarder(rpc, logger, config.GATEWAY_ANSWER_MS, here) }],
    },
    filters: [problems],
    consumers: [
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
      installAuthentication(fastify, authenticator, logger);
    },
    onFrameworkError: (error, request, reply) => problems.answer(error, request, reply),
  };
}

function rpcServer(serve: () => RpcServer): Startable {
  let server: RpcServer | undefined;
  return {
    start: () => Promise.resolve(void (server = serve())),
    stop: async () => server?.stop(),
  };
}
