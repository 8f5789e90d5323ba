import { DISPUTE_STATUSES } from '@tidegate/contracts/payment';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Metrics } from '@tidegate/telemetry/metrics';
import { type Kysely, sql } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { type Payment } from './payment.state.js';

const WAITING = ['warning_needs_response', 'needs_response', 'appeal_needs_response'];

/** What the operators see of disputes. The gauges are read from the projection, so every replica tells the same. */
export class DisputeMetrics {
  private readonly changes;

  constructor(
    metrics: Metrics,
    private readonly logger: Logger,
    db: Kysely<PaymentsTables>,
    now: () => Date,
  ) {
    this.changes = metrics.counter('payments_dispute_changes_total', 'Disputes that came into a status.', { status: DISPUTE_STATUSES });
    metrics.gauge('payments_disputes', 'Disputes by their status.', { status: DISPUTE_STATUSES }, async (gauge) => {
      const { rows } = await sql<{ status: string; n: number }>`
        SELECT dispute->>'status' AS status, count(*)::int AS n
        FROM payments CROSS JOIN jsonb_array_elements(disputes) AS dispute
        WHERE disputes <> '[]'::jsonb GROUP BY 1`.execute(db);
      for (const status of DISPUTE_STATUSES) gauge.set({ status }, rows.find((row) => row.status === status)?.n ?? 0);
    });
    metrics.gauge(
      'payments_dispute_respond_by_seconds',
      'Time that is left to answer the dispute with the nearest deadline; negative when it has passed, +Inf when none waits for an answer.',
      {},
      async (gauge) => {
        const { rows } = await sql<{ nearest: Date | null }>`
          SELECT min((dispute->>'respond_by')::timestamptz) AS nearest
          FROM payments CROSS JOIN jsonb_array_elements(disputes) AS dispute
          WHERE disputes <> '[]'::jsonb AND dispute->>'status' = ANY(${WAITING})`.execute(db);
        const nearest = rows[0]?.nearest;
        gauge.set(nearest ? (nearest.getTime() - now().getTime()) / 1000 : Infinity);
      },
    );
  }

  /** A payment went from one state to another. */
  changed(before: Payment, after: Payment): void {
    for (const { id, status, amount, currency } of after.disputes) {
      const from = before.disputes.find((one) => one.id === id)?.status ?? null;
      if (from === status) continue;
      this.changes.inc({ status });
      this.logger.warn(
        { event: 'payment_dispute_changed', payment_id: after.terms.payment_id, dispute: id, from, to: status, amount, currency },
        `Dispute ${from ?? 'opened'} -> ${status}`,
      );
    }
  }
}
