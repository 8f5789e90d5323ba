import { type Db } from '@tidegate/database/database';
import { type Metrics } from '@tidegate/telemetry/metrics';
import { sql } from 'kysely';
import { readOutboxStatus } from './outbox-status.js';

/** `outbox_unpublished` and `outbox_oldest_seconds`, read from the table at each scrape. */
export function registerOutboxMetrics(metrics: Metrics, db: Db): void {
  metrics.gauge('outbox_unpublished', 'Committed messages that the broker has not confirmed yet.', undefined, async (gauge) =>
    gauge.set((await readOutboxStatus(db, 'own')).unpublished),
  );
  metrics.gauge(
    'outbox_oldest_seconds',
    'Age of the oldest committed message that the broker has not confirmed yet.',
    undefined,
    async (gauge) => gauge.set((await readOutboxStatus(db, 'own')).oldest_seconds),
  );
}

/** `inbox_pending`, `inbox_oldest_seconds` and `dead_letters` of one consumer's live generation, read from the table at each scrape. */
export function registerInboxMetrics(metrics: Metrics, db: Db, consumer: string): void {
  const labels = { consumer: [consumer] };
  const read = collectorOf(db);
  metrics.gauge(
    'inbox_pending',
    'Stored messages that wait to be handled, retries included.',
    labels,
    read((gauge, lag) => gauge.set({ consumer: lag.consumer }, lag.pending)),
  );
  metrics.gauge(
    'inbox_oldest_seconds',
    'Age of the oldest stored message that waits to be handled.',
    labels,
    read((gauge, lag) => gauge.set({ consumer: lag.consumer }, lag.oldest)),
  );
  metrics.gauge(
    'dead_letters',
    'Messages set aside as dead; each holds its aggregate.',
    labels,
    read((gauge, lag) => gauge.set({ consumer: lag.consumer }, lag.dead)),
  );
}

interface Lag {
  consumer: string;
  pending: number;
  oldest: number;
  dead: number;
}
interface ConsumerGauge {
  set(labels: { consumer: string }, value: number): void;
}

/** Several consumers of a service share three gauges, and a scrape asks for all of them at once: one look at the schema answers them. */
const collectorOf = (db: Db) => (write: (gauge: ConsumerGauge, lag: Lag) => void) => async (gauge: ConsumerGauge) => {
  for (const lag of await sharedLag(db)) write(gauge, lag);
};

const looks = new WeakMap<Db, Promise<Lag[]>>();

function sharedLag(db: Db): Promise<Lag[]> {
  const known = looks.get(db);
  if (known) return known;
  const look = inboxLag(db).finally(() => looks.delete(db));
  looks.set(db, look);
  return look;
}

async function inboxLag(db: Db): Promise<Lag[]> {
  const { rows } = await sql<Lag>`
    SELECT g.consumer,
      count(*) FILTER (WHERE i.state = 'pending') AS pending,
      count(*) FILTER (WHERE i.state = 'dead') AS dead,
      greatest(0, coalesce(extract(epoch FROM clock_timestamp() - min(i.stored_at) FILTER (WHERE i.state = 'pending')), 0))::float8 AS oldest
    FROM inbox_generations g
    LEFT JOIN inbox i ON i.consumer = g.consumer AND i.generation = g.live AND i.state IN ('pending', 'dead')
    GROUP BY g.consumer`.execute(db);
  return rows;
}
