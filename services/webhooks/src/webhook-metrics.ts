import { STRIPE_TYPES } from '@tidegate/contracts/events/stripe-event';
import type { Metrics } from '@tidegate/telemetry/metrics';

const RESULTS = ['accepted', 'duplicate', 'ignored', 'foreign', 'failed', 'bad_signature'] as const;
export type WebhookResult = (typeof RESULTS)[number];

export interface WebhookMetrics {
  /** `eventType` null when it is not known, as for a bad signature. */
  counted(eventType: string | null, result: WebhookResult): void;
  missed(events: number): void;
  /** Stripe gave no answer to that loop, or no call was let through. */
  stripeUnavailable(job: Job): void;
}

const JOBS = ['webhooks.hints', 'webhooks.sweep'] as const;
type Job = (typeof JOBS)[number];

/** The series of interfaces.md; `lagSeconds` is asked at each scrape. */
export function webhookMetrics(metrics: Metrics, lagSeconds: () => Promise<number>): WebhookMetrics {
  const events = metrics.counter('stripe_webhook_events_total', "Stripe's deliveries by type and what became of them", {
    event_type: [...STRIPE_TYPES, 'other', 'unknown'],
    result: RESULTS,
  });
  const missed = metrics.counter('stripe_events_missed_total', "Events of handled types found in Stripe's list that were never delivered");
  const jobErrors = metrics.counter('job_errors_total', 'Failures of background jobs', { job: JOBS, error_type: ['stripe_unavailable'] });
  metrics.gauge(
    'stripe_webhook_lag_seconds',
    "Age, by Stripe's clock, of the oldest stored event that is not published yet; 0 when none waits",
    {},
    async (gauge) => gauge.set(await lagSeconds()),
  );
  return {
    counted: (eventType, result) => events.inc({ event_type: typeLabel(eventType), result }),
    missed: (count) => missed.inc(count),
    stripeUnavailable: (job) => jobErrors.inc({ job, error_type: 'stripe_unavailable' }),
  };
}

const TYPES: ReadonlySet<string> = new Set(STRIPE_TYPES);

/** A closed set of label values, however many types Stripe invents. */
function typeLabel(eventType: string | null): string {
  if (eventType === null) return 'unknown';
  return TYPES.has(eventType) ? eventType : 'other';
}
