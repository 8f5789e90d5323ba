import { type InvoiceFact } from '@tidegate/contracts/events/invoice';
import { DUNNING_STATES, SUBSCRIPTION_STATUSES } from '@tidegate/contracts/subscription';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Metrics } from '@tidegate/telemetry/metrics';
import { type Kysely, sql } from 'kysely';
import { dunningOf, type SeenInvoice } from '../invoice/invoice.seen.js';
import { openCommands } from '../operator/subscription-commands.store.js';
import { type Command } from '../subscription/command.decide.js';
import { type SeenSubscription } from '../subscription/subscription.seen.js';
import { type PaymentsTables } from '../tables.js';
import { type Change } from './observed.store.js';

const RESULTS = ['finalized', 'paid', 'payment_failed', 'action_required', 'uncollectible', 'voided'] as const satisfies InvoiceFact[];
const KINDS = ['create', 'change', 'cancel'] as const satisfies Command['kind'][];
const RESULTS_OF_COMMANDS = ['done', 'refused', 'expired', 'given_up'] as const;
const JOB = 'payments.carry_on_subscriptions';

/** So long figures count that take a look at every row. */
const LOOK_MS = 60_000;

/** What the operators see of subscriptions and invoices. Figures are read from the tables, so every replica tells the same; what needs a look at whole tables, each minute. */
export class BillingMetrics {
  private readonly invoices;
  private readonly commands;
  private readonly jobErrors;

  constructor(
    metrics: Metrics,
    private readonly logger: Logger,
    db: Kysely<PaymentsTables>,
    now: () => Date,
  ) {
    this.invoices = metrics.counter('invoices_total', 'Invoices by what happened to them, as far as it was seen.', { result: RESULTS });
    this.commands = metrics.counter('subscription_commands_total', 'Requests about subscriptions by how they ended.', {
      kind: KINDS,
      result: RESULTS_OF_COMMANDS,
    });
    this.jobErrors = metrics.counter('job_errors_total', 'Failures of background jobs', {
      job: [JOB],
      error_type: ['stripe_unavailable', 'internal'],
    });
    const statuses = eachMinute(now, async () => {
      const { rows } = await sql<{ status: string; n: number }>`
        SELECT status, count(*)::int AS n FROM subscriptions GROUP BY status`.execute(db);
      return rows;
    });
    metrics.gauge('subscriptions', "Subscriptions by Stripe's status.", { status: SUBSCRIPTION_STATUSES }, async (gauge) => {
      const rows = await statuses();
      for (const status of SUBSCRIPTION_STATUSES) gauge.set({ status }, rows.find((row) => row.status === status)?.n ?? 0);
    });
    const unpaid = eachMinute(now, async () => {
      const { rows } = await sql<{ dunning: string; n: number; oldest: Date }>`
        SELECT dunning, count(*)::int AS n, min(status_since) AS oldest FROM invoices WHERE dunning IS NOT NULL GROUP BY dunning`.execute(
        db,
      );
      return rows;
    });
    const dunning = async () => {
      const rows = await unpaid();
      return (state: string) => rows.find((row) => row.dunning === state);
    };
    metrics.gauge(
      'invoices_dunning',
      'Invoices that are not paid as planned, by what they wait for.',
      { state: DUNNING_STATES },
      async (gauge) => {
        const of = await dunning();
        for (const state of DUNNING_STATES) gauge.set({ state }, of(state)?.n ?? 0);
      },
    );
    metrics.gauge(
      'invoices_dunning_oldest_seconds',
      'How long the invoice has been open that waits longest for this; 0 when none does.',
      { state: DUNNING_STATES },
      async (gauge) => {
        const of = await dunning();
        for (const state of DUNNING_STATES) gauge.set({ state }, ageInSeconds(of(state)?.oldest, now()));
      },
    );
    metrics.gauge(
      'subscription_commands_open',
      'Requests about subscriptions without a certain outcome.',
      { kind: KINDS },
      async (gauge) => {
        const open = await openCommands(db);
        for (const kind of KINDS) gauge.set({ kind }, open.get(kind)?.count ?? 0);
      },
    );
    metrics.gauge(
      'subscription_commands_oldest_seconds',
      'How long the request about a subscription is open that is so for longest; 0 when none is.',
      { kind: KINDS },
      async (gauge) => {
        const open = await openCommands(db);
        for (const kind of KINDS) gauge.set({ kind }, ageInSeconds(open.get(kind)?.oldest, now()));
      },
    );
  }

  /** Stripe could not be asked, or something of ours failed. */
  stopped(error_type: 'stripe_unavailable' | 'internal'): void {
    this.jobErrors.inc({ job: JOB, error_type });
  }

  /** A command has its certain answer. */
  settled(kind: Command['kind'], result: (typeof RESULTS_OF_COMMANDS)[number]): void {
    this.commands.inc({ kind, result });
  }

  /** After the commit of a look at a subscription. */
  subscription({ before, after }: Change<SeenSubscription, string>): void {
    const [from, to] = [before?.object.status ?? null, after?.object.status ?? null];
    if (!after || from === to) return;
    this.logger.info(
      { event: 'subscription_state_changed', subscription_id: after.object.id, from, to },
      `Subscription ${from ?? 'found'} -> ${to}`,
    );
  }

  /** After the commit of a look at an invoice. */
  invoice({ before, after, facts }: Change<SeenInvoice, InvoiceFact>): void {
    if (!after) return;
    const { object } = after;
    for (const result of RESULTS) if (facts.includes(result)) this.invoices.inc({ result });
    const fields = { invoice_id: object.id, subscription_id: object.subscription };
    const [from, to] = [before?.object.status ?? null, object.status];
    if (from !== to) this.logger.info({ event: 'invoice_state_changed', ...fields, from, to }, `Invoice ${from ?? 'found'} -> ${to}`);
    if (!facts.includes('payment_failed')) return;
    const { attempt_count, next_payment_attempt, failure } = object;
    const more = { attempt_count, next_payment_attempt, code: failure?.code ?? null, dunning: dunningOf(object) };
    this.logger.warn({ event: 'invoice_payment_failed', ...fields, ...more }, 'An invoice could not be collected');
  }
}

/** One look in a minute of the clock serves whoever asks; one that failed serves nobody. */
function eachMinute<T>(now: () => Date, look: () => Promise<T>): () => Promise<T> {
  let last: { at: number; found: Promise<T> } | null = null;
  return () => {
    const at = now().getTime();
    if (last === null || at - last.at >= LOOK_MS) {
      const mine = { at, found: look() };
      last = mine;
      mine.found.catch(() => last === mine && (last = null));
    }
    return last.found;
  };
}

const ageInSeconds = (since: Date | undefined, now: Date): number => (since ? Math.max(0, (now.getTime() - since.getTime()) / 1000) : 0);
