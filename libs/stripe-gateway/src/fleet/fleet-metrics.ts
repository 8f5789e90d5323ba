import { type Db } from '@tidegate/database/database';
import { type Metrics } from '@tidegate/telemetry/metrics';
import { sql } from 'kysely';
import { type BreakerName, BREAKERS } from '../breaker-names.js';
import { type BreakerStateName } from './breaker.store.js';
import { type Fleet } from './fleet.js';

const NUMBERS: Record<BreakerStateName, number> = { closed: 0, open: 1, half_open: 2, isolated: 3, auth: 4 };
const KINDS = ['write', 'read'] as const;

/**
 * The breakers and the limiter: what concerns the fleet is read from the database at each scrape, so every process tells the same. Only a process that was left
 * behind with a refused key shows `auth` alone.
 */
export function fleetMetrics(metrics: Metrics, db: Db, fleet: Pick<Fleet, 'waitingAndInFlight' | 'isKeyRefused'>): void {
  metrics.gauge(
    'circuit_state',
    '0 closed, 1 open, 2 half-open, 3 isolated, 4 auth (Stripe refuses the key, or the one that this process still has).',
    { breaker_name: BREAKERS },
    async (gauge) => {
      const { rows } = await sql<{
        name: BreakerName;
        state: BreakerStateName;
      }>`SELECT name, state FROM stripe_gateway.breaker_states`.execute(db);
      for (const { name, state } of rows)
        gauge.set({ breaker_name: name }, NUMBERS[state === 'closed' && fleet.isKeyRefused(name) ? 'auth' : state]);
    },
  );
  metrics.gauge(
    'circuit_held_operations',
    'Operations that are not called for now although their breaker is closed: Stripe answered 403, or limits that endpoint.',
    { breaker_name: BREAKERS },
    async (gauge) => {
      const { rows } = await sql<{ name: string; held: number }>`
        SELECT breaker AS name, count(*)::int AS held FROM stripe_gateway.operation_holds WHERE until IS NULL OR until > clock_timestamp()
        GROUP BY breaker`.execute(db);
      for (const breaker_name of BREAKERS) gauge.set({ breaker_name }, rows.find(({ name }) => name === breaker_name)?.held ?? 0);
    },
  );
  metrics.gauge(
    'stripe_request_rate_limit',
    'Requests per second that the fleet may make now; below the setting for a while after a 429.',
    {},
    async (gauge) => {
      const { rows } = await sql<{ rate: number }>`
      SELECT per_second * least(1, factor + 0.05 * coalesce(greatest(0, extract(epoch from clock_timestamp() - limited_at)::float8), 0)) AS rate
      FROM stripe_gateway.limiter WHERE name = 'stripe'`.execute(db);
      gauge.set(rows[0]?.rate ?? 0);
    },
  );
  metrics.gauge(
    'stripe_request_rate_limit_setting',
    'Requests per second that the fleet may make while nothing slows it down: STRIPE_REQUEST_RATE_LIMIT.',
    {},
    async (gauge) => {
      const { rows } = await sql<{ rate: number }>`SELECT per_second AS rate FROM stripe_gateway.limiter WHERE name = 'stripe'`.execute(db);
      gauge.set(rows[0]?.rate ?? 0);
    },
  );
  metrics.gauge('stripe_calls_waiting', 'Calls of this process that wait for a token or a free place.', { kind: KINDS }, (gauge) => {
    for (const kind of KINDS) gauge.set({ kind }, fleet.waitingAndInFlight().waiting[kind]);
  });
  metrics.gauge('stripe_calls_in_flight', 'Calls of this process that are under way.', { kind: KINDS }, (gauge) => {
    for (const kind of KINDS) gauge.set({ kind }, fleet.waitingAndInFlight().inFlight[kind]);
  });
}
