import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { type Failpoints } from '@tidegate/database/failpoints';
import { type Metadata } from '@tidegate/event-store/event';
import { type Intent } from '@tidegate/stripe-gateway/intent';
import { currentTraceparent } from '@tidegate/telemetry/tracing';
import { type Kysely } from 'kysely';
import { requestIdOf } from '../idempotency/idempotency.store.js';
import { operationOf } from '../idempotency/identity.js';
import { type PaymentsTables } from '../tables.js';
import { type Signals } from '../work/signals.js';
import { type PaymentMetrics } from './payment.metrics.js';
import { type PaymentEvent } from './payment.events.js';
import { paymentReply, refundReply, rejectionReply } from './payment.reply.js';
import { type Payment } from './payment.state.js';
import { type DecisionWriter } from './decision-writer.js';
import { decided, load, type Loaded, PaymentMoved } from './payment.store.js';
import { type Cause, paymentOf, type Run } from './run.js';

export interface RecorderDeps {
  db: Kysely<PaymentsTables>;
  failpoints: Failpoints;
  writer: DecisionWriter;
  clock: { now(): Date };
  signals: Signals;
  metrics: PaymentMetrics;
  /** New outbox rows are committed. */
  onCommitted(): void;
  /** A payment has work that is due. */
  onWork(): void;
}

/** Events decided from a payment; null when nothing is to be recorded after all. */
export type Decider = (payment: Payment) => PaymentEvent[] | null;

/** Nothing is left to do for this payment by itself. */
export const isSettled = (payment: Payment): boolean =>
  payment.pending === null && payment.orphans.length === 0 && payment.refunds.every((refund) => refund.completed);

/** A wish to ask Stripe outlives what the run came for. */
const ends = (run: Run, payment: Payment): boolean => isSettled(payment) && !run.held.refresh;

export class Recorder {
  constructor(private readonly deps: RecorderDeps) {}

  /**
   * Appends what `decide` makes of the payment, stores the answers of commands that became certain, and ends the lease when nothing is left to do: one
   * transaction. When somebody else moved the payment meanwhile, decides again from the new state; `decide` answers null to give up instead.
   */
  async record(run: Run, name: string, decide: Decider, intent: Intent | null = null): Promise<boolean> {
    for (;;) {
      const events = decide(paymentOf(run));
      if (events === null) return false;
      if (events.length === 0) return true;
      try {
        await this.write(run, name, events, intent);
        return true;
      } catch (error) {
        if (!(error instanceof PaymentMoved)) throw error;
        run.loaded = await load(this.deps.db, run.held.payment_id);
      }
    }
  }

  private async write(run: Run, name: string, events: PaymentEvent[], intent: Intent | null): Promise<void> {
    const now = this.deps.clock.now();
    const before = run.loaded;
    const { after, rows } = decided({ paymentId: run.held.payment_id, before, events, now, metadata: metadataOf(run.cause) });
    const answers = await answersOf(this.deps.db, after.state, events, intent);
    const end = ends(run, after.state);
    const { more } = await this.deps.writer.write({ name, ...rows, answers, ...(end && { ended: run.held }) });
    run.loaded = after;
    if (end) run.released = true;
    for (const [command, reply] of answers) run.replies.set(command, reply);
    this.announce(before, after.state, [...answers.keys()], more);
  }

  /** After the commit. */
  announce(before: Loaded, after: Payment, commands: string[], more: boolean): void {
    this.deps.onCommitted();
    this.deps.metrics.changed(before.state, after);
    for (const command of commands) this.deps.signals.wake(command);
    this.deps.signals.wake(after.terms.payment_id);
    if (more) this.deps.onWork();
  }
}

export const metadataOf = (cause: Cause): Metadata => ({ ...cause, traceparent: currentTraceparent() });

/** The answers of the commands that these events made certain, rendered once; they are stored with the events. */
export async function answersOf(
  db: Kysely<PaymentsTables>,
  payment: Payment,
  events: readonly PaymentEvent[],
  intent: Intent | null,
): Promise<Map<string, HttpReply>> {
  const replies = new Map<string, HttpReply>();
  for (const event of events) {
    const answered = await answerOf(db, payment, event, intent);
    if (answered) replies.set(answered.commandId, answered.reply);
  }
  return replies;
}

async function answerOf(db: Kysely<PaymentsTables>, payment: Payment, event: PaymentEvent, intent: Intent | null) {
  if (event.type === 'RefundCompleted') {
    const refund = payment.refunds.find((one) => one.id === event.data.refund_id);
    if (!refund?.command_id) return null;
    const requestId = refund.status === 'failed' ? await requestIdOf(db, refund.command_id) : '';
    return { commandId: refund.command_id, reply: refundReply(refund, requestId) };
  }
  if (event.type !== 'CommandCompleted') return null;
  const { command_id: commandId, rejection } = event.data;
  const operation = operationOf(commandId);
  if (!operation) return null;
  if (rejection) return { commandId, reply: rejectionReply(rejection, await requestIdOf(db, commandId)) };
  return { commandId, reply: paymentReply(operation, payment, intent) };
}
