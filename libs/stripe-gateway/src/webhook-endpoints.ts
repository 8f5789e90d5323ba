import Stripe from 'stripe';
import { API_VERSION, hostOf } from './adapter.js';
import { classifyError } from './classify-error.js';
import { deadlineHttpClient } from './http-client.js';
import { type StripeOutcome } from './outcome.js';

/** A webhook endpoint as Stripe has it. Source: https://docs.stripe.com/api/webhook_endpoints/object */
export interface WebhookEndpoint {
  id: string;
  url: string;
  status: string;
  api_version: string | null;
  enabled_events: string[];
  metadata: Record<string, string>;
  created: number;
}

export interface NewWebhookEndpoint {
  url: string;
  events: readonly string[];
  description: string;
}

export interface WebhookEndpointUpdate {
  events?: readonly string[];
  disabled?: boolean;
  metadata?: Record<string, string>;
}

/** An operator's calls: one at a time, never repeated by themselves, past breaker and limiter, and nothing about money. No method throws. */
export interface WebhookEndpoints {
  list(): Promise<StripeOutcome<WebhookEndpoint[]>>;
  /** At the pinned version. Only this answer has the signing secret; the same key gives it again for 24 hours. */
  create(endpoint: NewWebhookEndpoint, key: string): Promise<StripeOutcome<WebhookEndpoint & { secret: string }>>;
  update(id: string, change: WebhookEndpointUpdate): Promise<StripeOutcome<WebhookEndpoint>>;
}

export interface WebhookEndpointsConfig {
  secretKey(): string;
  apiBase?: string | undefined;
  deadlineMs?: number;
}

const DEADLINE_MS = 10_000;
type EnabledEvent = Stripe.WebhookEndpointCreateParams.EnabledEvent;

export function webhookEndpoints({ secretKey, apiBase, deadlineMs = DEADLINE_MS }: WebhookEndpointsConfig): WebhookEndpoints {
  async function ask<R, T>(call: (stripe: Stripe) => Promise<R>, translate: (raw: R) => T): Promise<StripeOutcome<T>> {
    const httpClient = deadlineHttpClient(deadlineMs);
    const stripe = new Stripe(secretKey(), {
      apiVersion: API_VERSION,
      maxNetworkRetries: 0,
      timeout: deadlineMs,
      httpClient: httpClient as never,
      telemetry: false,
      ...hostOf(apiBase),
    });
    try {
      return { kind: 'ok', value: translate(await call(stripe)), requestId: null };
    } catch (error) {
      return classifyError(error);
    } finally {
      httpClient.close();
    }
  }

  return {
    list: () =>
      ask(
        (stripe) => stripe.webhookEndpoints.list({ limit: 100 }).autoPagingToArray({ limit: 1000 }),
        (all) => all.map(toEndpoint),
      ),
    create: ({ url, events, description }, key) =>
      ask(
        (stripe) =>
          stripe.webhookEndpoints.create(
            { url, enabled_events: [...events] as EnabledEvent[], api_version: API_VERSION as never, description },
            { idempotencyKey: key },
          ),
        (raw) => ({ ...toEndpoint(raw), secret: raw.secret ?? '' }),
      ),
    update: (id, { events, disabled, metadata }) =>
      ask(
        (stripe) =>
          stripe.webhookEndpoints.update(id, {
            ...(events === undefined ? {} : { enabled_events: [...events] as EnabledEvent[] }),
            ...(disabled === undefined ? {} : { disabled }),
            ...(metadata === undefined ? {} : { metadata }),
          }),
        toEndpoint,
      ),
  };
}

const toEndpoint = (raw: Stripe.WebhookEndpoint): WebhookEndpoint => ({
  id: raw.id,
  url: raw.url,
  status: raw.status,
  api_version: raw.api_version,
  enabled_events: raw.enabled_events,
  metadata: raw.metadata,
  created: raw.created,
});
