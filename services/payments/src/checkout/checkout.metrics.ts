import { type LateSuccess } from '@tidegate/contracts/checkout';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Metrics } from '@tidegate/telemetry/metrics';
import { type Kysely, sql } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { type CheckoutEvent } from './checkout.events.js';
import { type Checkout, type CheckoutState, sessionOf, statusOf } from './checkout.state.js';

const RESULTS = [
  'opened',
  'rejected',
  'completed',
  'late_success',
  'payment_succeeded',
  'payment_failed',
  'window_expired',
  'closed',
  'extended',
] as const;
const JOB = 'payments.carry_on_checkouts';
type Result = (typeof RESULTS)[number];

/** What the operators see of checkouts. The success rate is (completed + late_success) / (those + window_expired). */
export class CheckoutMetrics {
  private readonly sessions;
  private readonly expired;
  private readonly jobErrors;

  constructor(
    metrics: Metrics,
    private readonly logger: Logger,
    db: Kysely<PaymentsTables>,
    now: () => Date,
  ) {
    this.sessions = metrics.counter('checkout_sessions_total', 'Checkouts by what happened to them.', { result: RESULTS });
    this.expired = metrics.counter('payments_window_expired_total', 'Checkouts whose page was closed because their window had ended.');
    this.jobErrors = metrics.counter('job_errors_total', 'Failures of background jobs', {
      job: [JOB],
      error_type: ['stripe_unavailable', 'internal'],
    });
    const overdue = async () => {
      const { rows } = await sql<{ n: number; oldest: Date | null }>`
        SELECT count(*)::int AS n, min(window_ends_at) AS oldest FROM checkouts WHERE status = 'open' AND window_ends_at <= ${now()}`.execute(
        db,
      );
      return rows[0] ?? { n: 0, oldest: null };
    };
    metrics.gauge('payments_window_overdue', 'Checkouts that are still open after the end of their window.', {}, async (gauge) => {
      gauge.set((await overdue()).n);
    });
    metrics.gauge(
      'payments_window_overdue_oldest_seconds',
      'How long ago the first of them should have been closed.',
      {},
      async (gauge) => {
        const { oldest } = await overdue();
        gauge.set(oldest ? Math.max(0, (now().getTime() - oldest.getTime()) / 1000) : 0);
      },
    );
    const late = (what: LateSuccess, help: string) =>
      metrics.gauge(`checkout_late_success_${what}`, help, {}, async (gauge) => {
        const { rows } = await sql<{ n: number }>`SELECT count(*)::int AS n FROM checkouts WHERE late_success = ${what}`.execute(db);
        gauge.set(rows[0]?.n ?? 0);
      });
    late('held', 'Late successes that wait for a person.');
    late('refunding', 'Late successes that are to be given back, and whose refund Stripe has not got yet.');
  }

  /** The loop could not carry a checkout on: no call was let through, or something of ours failed. */
  carryOnStopped(error_type: 'stripe_unavailable' | 'internal'): void {
    this.jobErrors.inc({ job: JOB, error_type });
  }

  /** After the commit of these events. */
  changed(before: CheckoutState, after: Checkout, events: readonly CheckoutEvent[]): void {
    const fields = { payment_session_id: after.terms.checkout_id, stripe_session: sessionOf(after) };
    for (const event of events) {
      const result = resultOf(event);
      if (result) this.sessions.inc({ result });
      if (result !== 'window_expired') continue;
      this.expired.inc();
      this.logger.info({ event: 'payment_window_expired', ...fields }, 'The window of a checkout ended, and its page is closed');
    }
    const [from, to] = [before.kind === 'none' ? null : before.lifecycle.status, after.lifecycle.status];
    if (from === to) return;
    const more = { status: statusOf(after), payment_id: after.payment_id };
    this.logger.info({ event: 'checkout_state_changed', ...fields, from, to, ...more }, `Checkout ${from ?? 'accepted'} -> ${to}`);
  }
}

function resultOf(event: CheckoutEvent): Result | null {
  switch (event.type) {
    case 'SessionOpened':
      return 'opened';
    case 'SessionRejected':
      return 'rejected';
    case 'SessionNotOpened':
      return 'window_expired';
    case 'SessionExpired':
      return event.data.cause === 'window' ? 'window_expired' : event.data.cause === 'requested' ? 'closed' : null;
    case 'WindowExtended':
      return 'extended';
    case 'CheckoutCompleted':
      return event.data.late === null ? 'completed' : 'late_success';
    case 'PaymentSettled':
      return event.data.payment === 'paid' ? 'payment_succeeded' : 'payment_failed';
    default:
      return null;
  }
}
