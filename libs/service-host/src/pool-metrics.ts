import { setTimeout as delay } from 'node:timers/promises';
import type { Metrics } from '@tidegate/telemetry/metrics';

/** Of `pg.Pool`: the counts that it keeps, and a way to ask the database. */
export interface PoolCounts {
  query<T extends object>(text: string): Promise<{ rows: T[] }>;
  totalCount: number;
  idleCount: number;
  waitingCount: number;
}

/** What takes longer is no answer, for somebody who asks whether the database is there. */
const ANSWER_MS = 1_000;

export function installPoolMetrics(metrics: Metrics, pool: PoolCounts): void {
  let answeredAt = performance.now();
  metrics.gauge('db_pool_size', 'Open database connections', {}, (gauge) => gauge.set(pool.totalCount));
  metrics.gauge('db_pool_in_use', 'Database connections at work', {}, (gauge) => gauge.set(pool.totalCount - pool.idleCount));
  metrics.gauge('db_pool_waiting', 'Callers that wait for a database connection', {}, (gauge) => gauge.set(pool.waitingCount));
  metrics.gauge('clock_skew_seconds', "How far this process's clock is ahead of the database's", {}, async (gauge) =>
    gauge.set(await secondsAhead(pool)),
  );
  metrics.gauge(
    'db_unanswered_seconds',
    'For how long the database has given no answer within a second; 0 while it does',
    {},
    async (gauge) => {
      const answered = await Promise.race([answers(pool), delay(ANSWER_MS, false, { ref: false })]);
      if (answered) answeredAt = performance.now();
      gauge.set(answered ? 0 : (performance.now() - answeredAt) / 1000);
    },
  );
}

/** The answer is as old as half the round trip, at most. */
async function secondsAhead(pool: Pick<PoolCounts, 'query'>): Promise<number> {
  const asked = Date.now();
  const { rows } = await pool.query<{ ms: number }>('SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms');
  return ((asked + Date.now()) / 2 - rows[0]!.ms) / 1000;
}

const answers = (pool: Pick<PoolCounts, 'query'>): Promise<boolean> =>
  pool.query('SELECT 1').then(
    () => true,
    () => false,
  );
