import { type Logger } from '@tidegate/telemetry/logger';
import { type Metrics } from '@tidegate/telemetry/metrics';
import { inSpan } from '@tidegate/telemetry/tracing';
import { around, OPERATIONS, operationName, type StripeOutcome, type StripePort } from './port.js';
import { OWN_LIMIT } from './verdict.js';

const RESULTS = ['ok', 'declined', 'rejected', 'not_found', 'unknown', 'in_use', 'limited', 'auth', 'refused'] as const;

/** A span `stripe.<operation>`, the two metrics of Stripe calls, and a log line for whatever is neither an answer nor a refusal of the breaker. */
export function withTelemetry(port: StripePort, { metrics, logger }: { metrics: Metrics; logger: Logger }): StripePort {
  const operations = OPERATIONS.map(operationName);
  const total = metrics.counter('stripe_requests_total', 'Calls to Stripe by operation and result.', {
    operation: operations,
    result: RESULTS,
  });
  const seconds = metrics.histogram('stripe_request_duration_seconds', 'Time of a call to Stripe.', { operation: operations });

  return around(port, async (method, call) => {
    const operation = operationName(method);
    const attributes = { 'stripe.operation': operation, 'server.address': 'stripe' };
    return inSpan(`stripe.${operation}`, { kind: 'client', attributes }, async (span) => {
      const started = performance.now();
      const outcome = await call();
      total.inc({ operation, result: outcome.kind });
      if (wasMade(outcome)) seconds.observe({ operation }, (performance.now() - started) / 1000);
      span.setAttribute('stripe.result', outcome.kind);
      if (outcome.kind === 'ok' && outcome.requestId) span.setAttribute('stripe.request_id', outcome.requestId);
      const error = describe(outcome);
      if (error) logger.warn({ event: 'stripe_api_error', operation, ...error }, 'A call to Stripe gave no usable answer');
      return outcome;
    });
  });
}

/** Otherwise a breaker or our own limiter turned it away. */
const wasMade = (outcome: StripeOutcome<unknown>): boolean =>
  outcome.kind !== 'refused' && !(outcome.kind === 'limited' && outcome.reason === OWN_LIMIT);

/** `status`: the HTTP status where there was one, else why there was none. */
function describe(outcome: StripeOutcome<unknown>): { error: string; status: string } | null {
  switch (outcome.kind) {
    case 'ok':
    case 'declined':
    case 'refused':
      return null;
    case 'unknown':
      return { error: outcome.message, status: String(outcome.status ?? outcome.cause) };
    case 'rejected':
      return { error: outcome.message, status: String(outcome.status) };
    case 'auth':
      return { error: outcome.message, status: String(outcome.status) };
    case 'not_found':
      return { error: outcome.message, status: '404' };
    case 'in_use':
      return { error: outcome.message, status: '409' };
    case 'limited':
      return wasMade(outcome) ? { error: `${outcome.reason}: ${outcome.message}`, status: '429' } : null;
    default:
      return outcome satisfies never;
  }
}
