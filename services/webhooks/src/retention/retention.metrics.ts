import type { Clock } from '@tidegate/service-host/clock';
import type { Metrics } from '@tidegate/telemetry/metrics';
import type { Kysely } from 'kysely';
import type { WebhooksTables } from '../tables.js';
import { oldestSeconds } from './retention.store.js';

/** What tells whether the store of events grows for ever: the age of its oldest event has to stay below the retention and a month. */
export function retentionMetrics(metrics: Metrics, db: Kysely<WebhooksTables>, clock: Clock): { dropped(): void } {
  const dropped = metrics.counter('stripe_events_partitions_dropped_total', 'Months of stored events that were dropped as too old');
  metrics.gauge(
    'stripe_events_oldest_seconds',
    "Age, by Stripe's clock, of the oldest stored event; 0 when there is none",
    {},
    async (gauge) => gauge.set(await oldestSeconds(db, clock.now())),
  );
  return { dropped: () => dropped.inc() };
}
