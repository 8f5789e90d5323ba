import type { Clock } from '@tidegate/service-host/clock';
import type { Metrics } from '@tidegate/telemetry/metrics';
import type { Kysely } from 'kysely';
import type { WebhooksTables } from '../tables.js';
import { standingAt, type Standing } from './standing.decide.js';
import { readCursor } from './sweep.store.js';

/** What tells, long before it is too late, that Stripe's list of events is not being read. */
export function sweepMetrics(metrics: Metrics, source: { db: Kysely<WebhooksTables>; clock: Clock; alarmSeconds: number }): void {
  const { db, clock, alarmSeconds } = source;
  const gauge = (name: string, help: string, value: (standing: Standing) => number) =>
    metrics.gauge(name, help, {}, async (one) => {
      const now = clock.now();
      one.set(value(standingAt(await readCursor(db, now), now, alarmSeconds)));
    });
  gauge('stripe_sweep_behind_seconds', "Time of Stripe's that the sweep has not read yet", (standing) => standing.behindSeconds);
  gauge(
    'stripe_sweep_runway_seconds',
    'How long until Stripe no longer lists what the sweep has not read',
    (standing) => standing.runwaySeconds,
  );
  gauge('stripe_sweep_overdue', '1 when the sweep is further behind than WEBHOOKS_SWEEP_ALARM_SECONDS', (standing) =>
    standing.overdue ? 1 : 0,
  );
  gauge(
    'stripe_events_unlisted_seconds',
    "Time of Stripe's, in all, that was not read before Stripe stopped listing it",
    (standing) => standing.unlistedSeconds,
  );
}
