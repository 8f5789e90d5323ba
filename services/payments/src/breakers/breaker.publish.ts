import { breakerChanged, type BreakerChanged } from '@tidegate/contracts/events/breaker';
import { envelope, type OutboxMessage, stage } from '@tidegate/messaging/outbox';
import { type Kysely, sql } from 'kysely';
import { type PaymentsTables } from '../tables.js';

/** A breaker belongs to no tenant. */
const NO_TENANT = '-';
const BATCH = 100;
const FORGET_EVERY_MS = 3_600_000;
const TRANSITIONS_KEPT = sql`interval '90 days'`;

interface Row {
  breaker: string;
  version: number;
  from_state: BreakerChanged['from'];
  to_state: BreakerChanged['to'];
  cause: string;
  at: Date;
  correlation_id: string | null;
  calls: number | null;
  failures: number | null;
  retry_at: Date | null;
  actor: string | null;
  reason: string | null;
}

/** Publishes each transition once: it is marked in the transaction that stages its event. Of several processes one at a time does so, in order. */
export class BreakerPublisher {
  private forgotAt = -Infinity;

  constructor(private readonly deps: { db: Kysely<PaymentsTables>; onCommitted(): void }) {}

  async runOnce(): Promise<number> {
    const rows = await this.deps.db.transaction().execute(async (tx) => {
      const { rows } = await sql<Row>`
        WITH due AS (
          SELECT id FROM stripe_gateway.transitions WHERE published_at IS NULL ORDER BY id LIMIT ${BATCH} FOR UPDATE
        ), marked AS (
          UPDATE stripe_gateway.transitions t SET published_at = clock_timestamp() FROM due WHERE t.id = due.id RETURNING t.*
        )
        SELECT breaker, version, from_state, to_state, cause, at, correlation_id, calls, failures, retry_at, actor, reason FROM marked ORDER BY id`.execute(
        tx,
      );
      await stage(tx, rows.map(messageOf));
      return rows;
    });
    if (rows.length > 0) this.deps.onCommitted();
    else await this.forgetOld();
    return rows.length;
  }

  private async forgetOld(): Promise<void> {
    if (performance.now() - this.forgotAt < FORGET_EVERY_MS) return;
    this.forgotAt = performance.now();
    await sql`DELETE FROM stripe_gateway.transitions WHERE published_at < clock_timestamp() - ${TRANSITIONS_KEPT}`.execute(this.deps.db);
  }
}

function messageOf(row: Row): OutboxMessage {
  return {
    aggregate: `breaker:${row.breaker}`,
    subject: breakerChanged.subject,
    envelope: envelope(breakerChanged, {
      tenant: NO_TENANT,
      aggregateId: `breaker:${row.breaker}`,
      aggregateVersion: row.version,
      occurredAt: row.at,
      correlationId: row.correlation_id ?? `breaker:${row.breaker}:${row.version}`,
      causationId: null,
      traceparent: null,
      data: {
        breaker: row.breaker,
        from: row.from_state,
        to: row.to_state,
        cause: row.cause,
        calls: row.calls,
        failures: row.failures,
        retry_at: row.retry_at?.toISOString() ?? null,
        actor: row.actor,
        reason: row.reason,
      },
    }),
  };
}
