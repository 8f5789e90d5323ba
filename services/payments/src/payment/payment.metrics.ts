import { type Logger } from '@tidegate/telemetry/logger';
import { type Metrics } from '@tidegate/telemetry/metrics';
import { type Kysely, sql } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { backlog } from '../retries/retries.store.js';
import { DisputeMetrics } from './dispute.metrics.js';
import { isFinal, type Payment, type PaymentState, statusOf } from './payment.state.js';

const OUTCOMES = ['succeeded', 'canceled', 'failed'] as const;
const RESULTS = ['succeeded', 'authorized', 'declined', 'requires_action', 'processing', 'canceled', 'failed', 'unknown'] as const;
const PENDING = ['queued', 'unknown', 'processing', 'requires_action', 'authorized'] as const;
const KEYS = ['fresh', 'replayed', 'joined', 'mismatch', 'in_progress', 'expired'] as const;

export type KeyResult = (typeof KEYS)[number];

/** What the operators see of payments. */
export class PaymentMetrics {
  private readonly attempts;
  private readonly seconds;
  private readonly keys;
  private readonly retries;
  private readonly jobErrors;
  private readonly disputes;

  constructor(
    metrics: Metrics,
    private readonly logger: Logger,
    db: Kysely<PaymentsTables>,
    now: () => Date,
  ) {
    this.attempts = metrics.counter(
      'payments_attempts_total',
      'Attempts by how they ended: each change of where the money stands, and each call whose answer is missing.',
      { result: RESULTS },
    );
    this.seconds = metrics.histogram('payments_duration_seconds', 'From acceptance to a final status.', { outcome: OUTCOMES });
    this.keys = metrics.counter('payments_idempotency_total', 'Requests by what their Idempotency-Key was.', { result: KEYS });
    this.jobErrors = metrics.counter('job_errors_total', 'Failures of background jobs', {
      job: ['payments.carry_on'],
      error_type: ['stripe_unavailable', 'internal'],
    });
    this.retries = metrics.counter('payments_retry_attempts_total', 'Runs of the loop that carries payments on.', {
      result: ['settled', 'later', 'failed'],
    });
    this.disputes = new DisputeMetrics(metrics, logger, db, now);
    metrics.gauge(
      'payments_pending_oldest_seconds',
      'How long the payment that has been in this status for longest is in it.',
      { status: PENDING },
      async (gauge) => {
        const { rows } = await sql<{
          status: string;
          oldest: Date;
        }>`SELECT status, min(status_since) AS oldest FROM payments WHERE status = ANY(${[...PENDING]}) GROUP BY status`.execute(db);
        for (const status of PENDING) {
          gauge.set({ status }, ageInSeconds(rows.find((row) => row.status === status)?.oldest, now()));
        }
      },
    );
    metrics.gauge(
      'payments_without_intent_oldest_seconds',
      'Age of the oldest payment that was sent to Stripe and has no PaymentIntent id yet; 0 when there is none.',
      {},
      async (gauge) => {
        const { rows } = await sql<{ oldest: Date | null }>`
          SELECT min(status_since) AS oldest FROM payments WHERE status = 'unknown' AND stripe_payment_intent IS NULL`.execute(db);
        gauge.set(ageInSeconds(rows[0]?.oldest, now()));
      },
    );
    metrics.gauge('payments_retry_queue_depth', 'Payments that wait for a look-up or another try.', {}, async (gauge) => {
      gauge.set((await backlog(db)).depth);
    });
    metrics.gauge(
      'payments_retry_oldest_seconds',
      'How long the payment has waited that waits longest for a look-up or another try.',
      {},
      async (gauge) => {
        const { oldest } = await backlog(db);
        gauge.set(oldest ? Math.max(0, (now().getTime() - oldest.getTime()) / 1000) : 0);
      },
    );
  }

  key(result: KeyResult): void {
    this.keys.inc({ result });
  }

  /** The loop could not carry a payment on: no call was let through, or something of ours failed. */
  carryOnStopped(error_type: 'stripe_unavailable' | 'internal'): void {
    this.jobErrors.inc({ job: 'payments.carry_on', error_type });
  }

  retried(result: 'settled' | 'later' | 'failed'): void {
    this.retries.inc({ result });
  }

  /** A payment went from one state to another; after the commit. */
  changed(before: PaymentState, after: Payment): void {
    const [from, to] = [before.kind === 'none' ? null : statusOf(before), statusOf(after)];
    if (from !== to)
      this.logger.info(
        { event: 'payment_state_changed', payment_id: after.terms.payment_id, from, to },
        `Payment ${from ?? 'accepted'} -> ${to}`,
      );
    // One that was found at Stripe was not attempted here.
    if (before.kind === 'none') return;
    this.disputes.changed(before, after);
    this.tellRaised(before, after);
    const result = resultOf(before, after);
    if (result) this.attempts.inc({ result });
    const outcome = OUTCOMES.find((one) => one === to);
    if (outcome && from !== to)
      this.seconds.observe({ outcome }, Math.max(0, (Date.parse(after.updated_at) - Date.parse(after.created_at)) / 1000));
  }

  /** Recorded as it is at Stripe, so that nothing disagrees from then on: no comparison will name it. */
  private tellRaised(
    { terms: { amount: from, currency: from_currency } }: Payment,
    { terms, intent_id: stripe_payment_intent }: Payment,
  ): void {
    const { origin, payment_id, amount: to, currency } = terms;
    if (origin !== 'api' || (to <= from && currency === from_currency)) return;
    this.logger.warn(
      { event: 'payment_amount_raised', payment_id, stripe_payment_intent, from, from_currency, to, currency },
      'Another program has raised the amount at Stripe, or changed its currency, and the payer pays that; give the difference back unless it was meant',
    );
  }
}

/** A second decline changes no status and is an attempt all the same, and so is a call without an answer to a payment that is unknown anyway. */
function resultOf(before: Payment, after: Payment): (typeof RESULTS)[number] | null {
  const { lifecycle } = after;
  if (before.lifecycle === lifecycle || isFinal(before)) return after.pending?.unknown && !before.pending?.unknown ? 'unknown' : null;
  if (lifecycle.status === 'requires_payment_method') return lifecycle.failure === null ? null : 'declined';
  return RESULTS.find((one) => one === lifecycle.status) ?? null;
}

const ageInSeconds = (since: Date | null | undefined, now: Date): number =>
  since ? Math.max(0, (now.getTime() - since.getTime()) / 1000) : 0;
