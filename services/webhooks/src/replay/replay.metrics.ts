import type { Metrics } from '@tidegate/telemetry/metrics';
import type { Kysely } from 'kysely';
import type { WebhooksTables } from '../tables.js';
import { unfinishedReplays } from './replay.store.js';

/** What tells of replays: how many events they took, and how many are not complete. */
export function replayMetrics(metrics: Metrics, db: Kysely<WebhooksTables>): { taken(events: number): void } {
  const taken = metrics.counter('stripe_events_replayed_total', 'Events that replays had published once more');
  metrics.gauge('webhook_replays_unfinished', 'Replays that run or were stopped', { status: ['running', 'stopped'] }, async (gauge) => {
    for (const [status, count] of Object.entries(await unfinishedReplays(db)))
      gauge.set({ status: status as 'running' | 'stopped' }, count);
  });
  return { taken: (events) => taken.inc(events) };
}
