import type { Metrics } from '@tidegate/telemetry/metrics';
import type { Kysely } from 'kysely';
import type { GatewayTables } from '../tables.js';
import { findHold } from './hold.store.js';

/** For how long requests have been held: every gateway reads the same row. */
export function holdMetrics(metrics: Metrics, { db, clock }: { db: Kysely<GatewayTables>; clock: { now(): Date } }): void {
  metrics.gauge(
    'requests_held_seconds',
    'For how long POSTs that move money have been held after a restore; 0 while they are taken',
    {},
    async (gauge) => {
      const hold = await findHold(db);
      gauge.set(hold === undefined ? 0 : Math.max(0, clock.now().getTime() - hold.held_at.getTime()) / 1000);
    },
  );
}
