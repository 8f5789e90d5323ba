import type { Metrics } from '@tidegate/telemetry/metrics';

/** The counts that `pg.Pool` keeps. */
export interface PoolCounts {
  totalCount: number;
  idleCount: number;
  waitingCount: number;
}

export function installPoolMetrics(metrics: Metrics, pool: PoolCounts): void {
  metrics.gauge('db_pool_size', 'Open database connections', {}, (gauge) => gauge.set(pool.totalCount));
  metrics.gauge('db_pool_in_use', 'Database connections at work', {}, (gauge) => gauge.set(pool.totalCount - pool.idleCount));
  metrics.gauge('db_pool_waiting', 'Callers that wait for a database connection', {}, (gauge) => gauge.set(pool.waitingCount));
}
