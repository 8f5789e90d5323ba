import { describe, expect, it } from '@jest/globals';
import { withCorrelation } from '@tidegate/telemetry/correlation';
import { createLogger } from '@tidegate/telemetry/logger';
import { createMetrics } from '@tidegate/telemetry/metrics';
import { type StripeOutcome, type StripePort } from './port.js';
import { OWN_LIMIT } from './verdict.js';
import { withTelemetry } from './with-telemetry.js';

async function told(outcome: StripeOutcome<never>): Promise<{ lines: Record<string, unknown>[]; scrape: string }> {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({ service: 'payments', destination: { write: (line) => void lines.push(JSON.parse(line)) } });
  const metrics = createMetrics('payments');
  const port = new Proxy({}, { get: () => () => Promise.resolve(outcome) }) as StripePort;
  await withCorrelation('cor_1', () => withTelemetry(port, { metrics, logger }).cancelIntent('pi_1', {}, 'key'));
  return { lines, scrape: await metrics.registry.metrics() };
}

describe('A call to Stripe', () => {
  it.each<[string, StripeOutcome<never>, string]>([
    ['503', { kind: 'unknown', cause: 'server_error', stored: false, message: 'down', status: 503 }, '503'],
    ['a timeout', { kind: 'unknown', cause: 'timeout', stored: false, message: 'no answer' }, 'timeout'],
    ['401', { kind: 'auth', status: 401, message: 'Expired API Key' }, '401'],
    ['403', { kind: 'auth', status: 403, message: 'No permission' }, '403'],
    ['429', { kind: 'limited', reason: 'global-rate', retryAfterMs: 1, message: 'too many' }, '429'],
    ['409', { kind: 'in_use', message: 'in use' }, '409'],
    ['404', { kind: 'not_found', param: 'id', message: 'nothing' }, '404'],
  ])('that ends with %s is a line that can be found by error, status, operation and request', async (_, outcome, status) => {
    const { lines } = await told(outcome);
    expect(lines).toMatchObject([
      { event: 'stripe_api_error', operation: 'cancel_intent', status, correlation_id: 'cor_1', timestamp: expect.stringMatching(/Z$/) },
    ]);
    expect(String(lines[0]?.['error'])).not.toBe('');
  });

  it.each<[string, StripeOutcome<never>]>([
    ['a decline', { kind: 'declined', code: 'card_declined', declineCode: null, message: 'no' }],
    ['a refusal of the breaker', { kind: 'refused', retryAfterMs: 1 }],
    ['our own limit', { kind: 'limited', reason: OWN_LIMIT, retryAfterMs: 1, message: 'ours' }],
  ])('that ends with %s is no error, and is counted', async (_, outcome) => {
    const { lines, scrape } = await told(outcome);
    expect(lines).toEqual([]);
    expect(scrape).toContain(`stripe_requests_total{operation="cancel_intent",result="${outcome.kind}"} 1`);
    const timed = outcome.kind === 'declined' ? 1 : 0;
    expect(scrape).toContain(`stripe_request_duration_seconds_count{operation="cancel_intent"} ${timed}`);
  });
});
