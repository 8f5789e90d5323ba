import { randomUUID } from 'node:crypto';
import type { RouteRequest } from '@tidegate/contracts/rpc/routes';
import { currentCorrelationId } from '@tidegate/telemetry/correlation';

/** What we ask of another service, as the gateway would ask it. */
export function routeRequest(route: string, who: { tenant: string; actor: string; livemode: boolean }, body: object): RouteRequest {
  const requestId = `req_${randomUUID().replaceAll('-', '')}`;
  return {
    ...who,
    request_id: requestId,
    correlation_id: currentCorrelationId() ?? requestId,
    route,
    params: {},
    query: {},
    idempotency_key: null,
    respond_async: false,
    body,
  };
}
