import { type Metrics } from '@tidegate/telemetry/metrics';
import { type Kysely, sql } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { type Fate } from './intake.js';
import { staleCount } from './stale.store.js';

const RESULTS = ['accepted', 'parked', 'duplicate', 'rejected'] as const;
const REPORTS = ['delivered', 'unanswered', 'refused', 'expired', 'settled_delivered', 'settled_absent', 'unsettled'] as const;

/** A counter is stale when no comparison has confirmed what it holds for this long. */
export const STALE_MS = 24 * 3_600_000;

/** What the operators see of usage. Depths and ages are read from the tables, so every replica tells the same. */
export class UsageMetrics {
  private readonly events;
  private readonly reports;

  constructor(metrics: Metrics, db: Kysely<PaymentsTables>, now: () => Date) {
    this.events = metrics.counter('usage_events_total', 'Usage events that were sent to us, by what became of them.', { result: RESULTS });
    this.reports = metrics.counter('usage_reports_total', "Reports to Stripe's meters by how they ended, and tries that ended nothing.", {
      result: REPORTS,
    });
    metrics.gauge('usage_events_buffered', 'Usage events that Stripe has not confirmed yet, parked ones included.', {}, async (gauge) => {
      const { rows } = await sql<{ events: number }>`
        SELECT (SELECT coalesce(sum(events - settled_events), 0) FROM usage_counters WHERE due_at IS NOT NULL)::float8
          + (SELECT count(*) FROM usage_events WHERE counted_at IS NULL)::float8 AS events`.execute(db);
      gauge.set(rows[0]?.events ?? 0);
    });
    metrics.gauge(
      'usage_oldest_unreported_seconds',
      'How long ago the usage was accepted that waits longest for its report; 0 when none does.',
      {},
      async (gauge) => {
        const { rows } = await sql<{ oldest: Date | null }>`
        SELECT least((SELECT min(unreported_since) FROM usage_counters WHERE due_at IS NOT NULL), (SELECT min(since) FROM usage_unknown_customers WHERE due_at < 'infinity')) AS oldest`.execute(
          db,
        );
        gauge.set(seconds(rows[0]?.oldest, now()));
      },
    );
    metrics.gauge('usage_events_parked', 'Usage events in no counter, because their customer is not known yet.', {}, async (gauge) => {
      const { rows } = await sql<{ events: number }>`SELECT count(*)::int AS events FROM usage_events WHERE counted_at IS NULL`.execute(db);
      gauge.set(rows[0]?.events ?? 0);
    });
    metrics.gauge(
      'usage_counters_stale',
      "Counters of the last 35 days that hold for a day what no comparison with Stripe's summaries has confirmed; counted up to 10,000.",
      {},
      async (gauge) => gauge.set(await staleCount(db, now(), STALE_MS)),
    );
  }

  recorded(fates: readonly Fate[]): void {
    for (const fate of fates) {
      const result = RESULTS.find((one) => one === fate) ?? 'rejected';
      this.events.inc({ result });
    }
  }

  reported(result: (typeof REPORTS)[number]): void {
    this.reports.inc({ result });
  }
}

const seconds = (at: Date | null | undefined, now: Date): number => (at ? Math.max(0, (now.getTime() - at.getTime()) / 1000) : 0);
