import { HANDLED_EVENT_TYPES } from '@tidegate/contracts/handled-event-types';
import type { WebhookEndpointsView } from '@tidegate/contracts/ops/webhook-endpoints';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RouteRequest } from '@tidegate/contracts/rpc/routes';
import { fingerprintOf } from '@tidegate/service-host/secret';
import { API_VERSION } from '@tidegate/stripe-gateway/adapter';
import type { StripePort } from '@tidegate/stripe-gateway/port';
import type { WebhookEndpoints } from '@tidegate/stripe-gateway/webhook-endpoints';
import { type Kysely, sql } from 'kysely';
import { failureReply } from '../stripe-setup/setup.rpc.js';
import type { WebhooksTables } from '../tables.js';
import { findingsOf, judgeEndpoints } from './endpoints.decide.js';

export interface EndpointsParts {
  db: Kysely<WebhooksTables>;
  clock: { now(): Date };
  endpoints: Pick<WebhookEndpoints, 'list'>;
  /** Within the fleet's limits: it is no more than a hint. */
  stripe: Pick<StripePort, 'listEvents'>;
  secrets(): readonly string[];
  sweepEverySeconds: number;
}

const HOUR_MS = 3_600_000;

/** `webhooks.rpc.operator_endpoint.list.v1`: 200 with Stripe's endpoints and whether what they deliver arrives; 422 or 503 when Stripe does not list them. */
export async function answerEndpoints(parts: EndpointsParts, raw: unknown): Promise<HttpReply> {
  const request = RouteRequest.parse(raw);
  const listed = await parts.endpoints.list();
  if (listed.kind !== 'ok') return failureReply(listed, request.request_id);
  const now = parts.clock.now();
  const wanted = { api_version: API_VERSION, events: HANDLED_EVENT_TYPES, secrets: parts.secrets().map(fingerprintOf) };
  const endpoints = judgeEndpoints(listed.value, wanted);
  const [arrived, undelivered] = await Promise.all([arrivals(parts.db, now), undeliveredSince(parts.stripe, now)]);
  const { last_hour, last_delivery_at } = arrived;
  const findings = findingsOf(endpoints, { lastHour: last_hour, undelivered, sweepEverySeconds: parts.sweepEverySeconds });
  const view: WebhookEndpointsView = {
    object: 'webhook_endpoints',
    api_version: API_VERSION,
    ...{ endpoints, last_hour, last_delivery_at, undelivered, findings },
  };
  return jsonReply(200, view);
}

async function arrivals(db: Kysely<WebhooksTables>, now: Date): Promise<Pick<WebhookEndpointsView, 'last_hour' | 'last_delivery_at'>> {
  const { rows } = await sql<{ webhook: number; thin: number; sweep: number; delivered: Date | null }>`
    SELECT count(*) FILTER (WHERE source = 'webhook')::int AS webhook, count(*) FILTER (WHERE source = 'thin')::int AS thin,
      count(*) FILTER (WHERE source = 'sweep' AND event_type = ANY (${HANDLED_EVENT_TYPES}))::int AS sweep,
      (SELECT received_at FROM stripe_events WHERE source <> 'sweep' AND created >= ${new Date(now.getTime() - 24 * HOUR_MS)} ORDER BY created DESC LIMIT 1) AS delivered
    FROM stripe_events WHERE created >= ${new Date(now.getTime() - HOUR_MS)}`.execute(db);
  const { webhook = 0, thin = 0, sweep = 0, delivered = null } = rows[0] ?? {};
  return { last_hour: { webhook, thin, sweep }, last_delivery_at: delivered?.toISOString() ?? null };
}

async function undeliveredSince(stripe: EndpointsParts['stripe'], now: Date): Promise<WebhookEndpointsView['undelivered']> {
  const gte = Math.floor((now.getTime() - HOUR_MS) / 1000);
  const page = await stripe.listEvents({ created: { gte }, delivery_success: false, limit: 100 });
  return page.kind === 'ok' ? { count: page.value.data.length, more: page.value.has_more } : null;
}
