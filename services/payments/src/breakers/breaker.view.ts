import { type BREAKER_STATES, type BreakerView } from '@tidegate/contracts/responses';
import { type Db } from '@tidegate/database/database';
import { sql } from 'kysely';

interface Row {
  name: string;
  state: (typeof BREAKER_STATES)[number];
  failures: number;
  calls: number;
  last_failure_at: Date | null;
  retry_at: Date | null;
  threshold: number;
  ratio: number;
  window_seconds: number;
  recovery_seconds: number;
  since: Date;
  held: { operation: string; until: string | null; reason: string }[] | null;
}

/** The breakers as operators see them, read now; one of them, or all by name. */
export async function readBreakers(db: Db, name?: string): Promise<BreakerView[]> {
  const { rows } = await sql<Row>`
    SELECT b.name, b.state, b.failures, b.calls, b.last_failure_at, b.retry_at, b.threshold, b.ratio, b.window_seconds, b.recovery_seconds, b.since,
      (SELECT json_agg(json_build_object('operation', h.operation, 'until', h.until, 'reason', h.reason) ORDER BY h.operation)
        FROM stripe_gateway.operation_holds h WHERE h.breaker = b.name AND (h.until IS NULL OR h.until > clock_timestamp())) AS held
    FROM stripe_gateway.breakers b WHERE ${name ?? null}::text IS NULL OR b.name = ${name ?? null} ORDER BY b.name`.execute(db);
  return rows.map(({ held, ...row }) => ({
    ...row,
    object: 'breaker' as const,
    last_failure_at: row.last_failure_at?.toISOString() ?? null,
    retry_at: row.retry_at?.toISOString() ?? null,
    since: row.since.toISOString(),
    held_operations: (held ?? []).map((hold) => ({ ...hold, until: hold.until === null ? null : new Date(hold.until).toISOString() })),
  }));
}
