import { type Logger } from '@tidegate/telemetry/logger';
import { type StripeOutcome } from '@tidegate/stripe-gateway/port';
import { type Fleet } from '@tidegate/stripe-gateway/fleet/fleet';
import { everyPage } from '@tidegate/stripe-gateway/every-page';
import { atCall } from '@tidegate/database/failpoints';
import { type LeaseKeeper } from '../work/lease-keeper.js';
import { earlier, nextLookUp, nextRetry } from '../work/schedule.js';
import { release, wishRefresh } from '../work/work.store.js';
import { foreignRefundId } from '../idempotency/identity.js';
import {
  byUse,
  decideAnswerTo,
  decideExpired,
  decideFound,
  decideInterrupted,
  decideLookup,
  decideRestored,
  decideRetry,
  isExpired,
  mayBeUnderWay,
} from './intent.decide.js';
import { type IntentFinder } from './intent-finder.js';
import { soughtAs } from './sought.js';
import { callIdOf, deadlineOf, type Payment, type Pending, type Refund } from './payment.state.js';
import { type PaymentEvent } from './payment.events.js';
import { type Recorder, type RecorderDeps } from './recorder.js';
import { decideRefresh } from './refresh.decide.js';
import { completed, decideRefundAnswer, decideRefundLookup, isCertain } from './refund.decide.js';
import { paymentOf, type Run } from './run.js';
import { leftOf, noteTurnedAway } from './turned-away.js';
import { intentIdOf, type KnownDetails, type StripeCalls } from './stripe-calls.js';

export interface CarryOnDeps extends RecorderDeps {
  calls: StripeCalls;
  finder: IntentFinder;
  recorder: Recorder;
  keeper: LeaseKeeper;
  logger: Logger;
  fleet: Pick<Fleet, 'door'>;
  random(): number;
  /** How far apart two complete lists must lack a refund before it counts as never executed. */
  absenceMs: number;
}

/** Calls of one kind that a run makes before it leaves the rest to the schedule. */
const CALLS_PER_RUN = 2;
const NOTHING = { kind: 'ok' as const, value: [] };

type Looked = { kind: 'certain' } | { kind: 'no_effect' } | { kind: 'later'; dueAt: Date };

/**
 * Takes a payment as far as it gets now: makes the calls that were committed to, looks for the effect of calls whose answer is missing, repeats them if there
 * was none, records what became certain. Whatever is left gets a time in `payment_work`. Nothing here holds a transaction across a call.
 */
export class CarryOn {
  constructor(private readonly deps: CarryOnDeps) {}

  /** One tenure of the lease. When it throws, the lease runs out by itself and the next holder knows that a call may be out. */
  async run(run: Run, known: KnownDetails | null = null): Promise<void> {
    this.deps.keeper.keep(run.held);
    try {
      let due = await this.settleIntent(run, known);
      for (const { id } of paymentOf(run).refunds.filter((refund) => !refund.completed))
        due = earlier(due, await this.settleRefund(run, id));
      for (const id of paymentOf(run).orphans) due = earlier(due, await this.cancelOrphan(run, id));
      if (run.held.refresh && !run.released) due = earlier(due, await this.refresh(run));
      if (!run.released) await this.end(run, due);
    } finally {
      this.deps.keeper.drop(run.held);
    }
  }

  private async end(run: Run, due: Date | null): Promise<void> {
    const { more } = await release(this.deps.db, run.held, due === null ? null : leftOf(run, due));
    run.released = true;
    this.deps.signals.wake(run.held.payment_id);
    if (more) this.deps.onWork();
  }

  /** The command on the intent; answers when to go on with it, null when it is done. */
  private async settleIntent(run: Run, known: KnownDetails | null): Promise<Date | null> {
    for (let calls = 0; ;) {
      const { pending } = paymentOf(run);
      if (!pending) return null;
      if (!pending.submission && run.held.restored) {
        await this.deps.recorder.record(run, 'payments.lookup.recorded', decideRestored);
        continue;
      }
      if (!pending.submission) {
        const door = isExpired(paymentOf(run), this.now()) ? null : await this.deps.fleet.door('stripe');
        if (door) return this.turnedAway(run, { kind: 'refused', retryAfterMs: door.retryAfterMs });
        await this.deps.recorder.record(run, 'payments.retry.submitted', (payment) => decideRetry(payment, this.now()));
        continue;
      }
      const callId = callIdOf(pending);
      if (run.stale.delete(callId)) {
        await this.deps.recorder.record(run, 'payments.lookup.recorded', (payment) => decideInterrupted(payment, callId));
        continue;
      }
      if (pending.submission.answer === 'missing') {
        const looked = await this.lookFor(run, pending);
        if (looked.kind === 'later') return looked.dueAt;
        if (looked.kind === 'certain') continue;
        await this.deps.recorder.record(run, 'payments.retry.submitted', (payment) => decideRetry(payment, this.now()));
        if (paymentOf(run).pending?.kind !== pending.kind) continue;
      }
      if (calls >= CALLS_PER_RUN || Date.now() >= run.deadline) return this.withoutAnswer(run);
      if (await this.deps.recorder.record(run, 'payments.retry.submitted', (payment) => decideExpired(payment, this.now()))) continue;
      calls += 1;
      const dueAt = await this.callIntent(run, known);
      if (dueAt) return dueAt;
    }
  }

  private async callIntent(run: Run, known: KnownDetails | null): Promise<Date | null> {
    const payment = paymentOf(run);
    const pending = payment.pending as Pending;
    const step = pending.submission?.step ?? 'intent';
    const called = { id: callIdOf(pending), step };
    const outcome = await this.deps.calls.make(payment, pending, known);
    if (decideAnswerTo(called, payment, outcome, this.now())?.length === 0) return this.turnedAway(run, outcome);
    if (outcome.kind === 'not_found' && step !== 'intent') this.alarmMissing(payment);
    const operation = step === 'cancel' ? 'cancel' : pending.kind;
    const intent = outcome.kind === 'ok' ? outcome.value : 'intent' in outcome ? (outcome.intent ?? null) : null;
    const recorded = await this.deps.recorder.record(
      run,
      `payments.${operation}.${step}_recorded`,
      (now) => decideAnswerTo(called, now, outcome, this.now()),
      intent,
    );
    if (!recorded) await wishRefresh(this.deps.db, run.held.payment_id, this.now());
    return null;
  }

  /** Retrieves or lists what the call whose answer is missing may have done. */
  private async lookFor(run: Run, pending: Pending): Promise<Looked> {
    return pending.submission?.step === 'intent' ? this.findIntent(run) : this.retrieveIntent(run);
  }

  private async findIntent(run: Run): Promise<Looked> {
    const payment = paymentOf(run);
    const found = await atCall(this.deps.failpoints, 'payments.lookup.intents', () =>
      this.deps.finder.find(soughtAs(payment.terms.payment_id, new Date(payment.created_at), new Date(payment.updated_at))),
    );
    if (found.kind !== 'ok') return { kind: 'later', dueAt: this.lookLater(run, found) };
    const usable = found.value.filter((intent) => intent.status !== 'canceled');
    const [first, ...others] = usable.toSorted(byUse);
    if (!first) return { kind: 'no_effect' };
    await this.deps.recorder.record(run, 'payments.lookup.recorded', (now) => decideFound(now, first, this.now()), first);
    for (const other of others)
      await this.deps.recorder.record(run, 'payments.lookup.recorded', (now) => decideFound(now, other, this.now()));
    return { kind: 'certain' };
  }

  private async retrieveIntent(run: Run): Promise<Looked> {
    const before = paymentOf(run);
    const outcome = await this.deps.calls.at('payments.lookup.intent').retrieveIntent(intentIdOf(before));
    if (outcome.kind === 'not_found') this.alarmMissing(before);
    if (outcome.kind !== 'ok') return { kind: 'later', dueAt: this.lookLater(run, outcome) };
    const version = run.loaded.version;
    if (decideLookup(before, outcome.value, this.now()) === null)
      return mayBeUnderWay(before, this.now()) ? { kind: 'later', dueAt: this.withoutAnswer(run) } : { kind: 'no_effect' };
    // A snapshot is as old as the start of its fetch: if the payment moved since, it is fetched again.
    await this.deps.recorder.record(
      run,
      'payments.lookup.recorded',
      (now) => (run.loaded.version === version ? decideLookup(now, outcome.value, this.now()) : null),
      outcome.value,
    );
    return { kind: 'certain' };
  }

  /** One refund; answers when to go on with it, null when it is done. */
  private async settleRefund(run: Run, id: string): Promise<Date | null> {
    for (let calls = 0; ;) {
      const refund = refundOf(run, id);
      if (refund.completed) return null;
      if (isCertain(refund)) {
        await this.recordRefund(run, id, 'payments.lookup.recorded', () => [completed(refund)]);
        continue;
      }
      if (refund.status === 'requested' && run.stale.delete(id)) {
        await this.recordRefund(run, id, 'payments.lookup.recorded', () => [
          { type: 'RefundAnswerMissing', data: { refund_id: id, cause: 'interrupted', stored: false } },
        ]);
        continue;
      }
      if (refund.status === 'unknown') {
        const looked = await this.findRefund(run, refund);
        if (looked.kind === 'later') return looked.dueAt;
        if (looked.kind === 'certain') continue;
      }
      if (calls >= CALLS_PER_RUN || Date.now() >= run.deadline) return this.withoutAnswer(run);
      calls += 1;
      const outcome = await this.deps.calls.refund(paymentOf(run), refund);
      if (decideRefundAnswer(paymentOf(run), refund, outcome).length === 0) return this.turnedAway(run, outcome);
      await this.recordRefund(run, id, 'payments.refund.refund_recorded', (now, payment) => decideRefundAnswer(payment, now, outcome));
    }
  }

  private async findRefund(run: Run, refund: Refund): Promise<Looked> {
    const all = await this.listRefunds(intentIdOf(paymentOf(run)));
    if (all.kind !== 'ok') return { kind: 'later', dueAt: this.lookLater(run, all) };
    const rules = { now: this.now(), absenceMs: this.deps.absenceMs };
    const looked = decideRefundLookup(paymentOf(run), refund, all.value, rules);
    if (looked.kind === 'repeat') return { kind: 'no_effect' };
    const recorded = await this.recordRefund(run, refund.id, 'payments.lookup.recorded', (now, payment) => {
      const again = decideRefundLookup(payment, now, all.value, rules);
      return again.kind === 'settled' ? again.events : null;
    });
    const { completed: done, not_seen_at } = refundOf(run, refund.id);
    if (done) return { kind: 'certain' };
    if (!recorded) return { kind: 'later', dueAt: this.withoutAnswer(run) };
    if (not_seen_at === null) return { kind: 'certain' };
    run.waitsFor = 'refund_not_listed';
    return { kind: 'later', dueAt: new Date(Date.parse(not_seen_at) + this.deps.absenceMs) };
  }

  private recordRefund(
    run: Run,
    id: string,
    name: string,
    decide: (refund: Refund, payment: Payment) => PaymentEvent[] | null,
  ): Promise<boolean> {
    return this.deps.recorder.record(run, name, (payment) => {
      const refund = payment.refunds.find((one) => one.id === id);
      return refund && !refund.completed ? decide(refund, payment) : null;
    });
  }

  private async cancelOrphan(run: Run, intentId: string): Promise<Date | null> {
    const outcome = await this.deps.calls.cancelOrphan(paymentOf(run), intentId);
    const gone = outcome.kind === 'ok' || (outcome.kind === 'rejected' && outcome.intent?.status === 'canceled');
    if (outcome.kind === 'rejected' && outcome.intent?.status === 'succeeded') {
      const fields = { payment_id: run.held.payment_id, stripe_payment_intent: intentId };
      this.deps.logger.error(
        { event: 'payment_charged_elsewhere', ...fields },
        'Another program confirmed a second PaymentIntent that carries our payment id; refund it by hand',
      );
    }
    if (!gone) return this.lookLater(run, outcome);
    const canceled: PaymentEvent = { type: 'OrphanIntentCanceled', data: { intent_id: intentId } };
    await this.deps.recorder.record(run, 'payments.orphan.recorded', (payment) => (payment.orphans.includes(intentId) ? [canceled] : null));
    return null;
  }

  /** Believes Stripe about the whole payment: its intent, and once it is captured its refunds and disputes. */
  private async refresh(run: Run): Promise<Date | null> {
    const payment = paymentOf(run);
    if (payment.intent_id === null) return null;
    const version = run.loaded.version;
    const outcome = await this.deps.calls.at('payments.lookup.intent').retrieveIntent(payment.intent_id);
    if (outcome.kind === 'not_found') this.alarmMissing(payment);
    if (outcome.kind !== 'ok') return this.lookLater(run, outcome);
    const captured = outcome.value.status === 'succeeded';
    const refunds = captured ? await this.listRefunds(payment.intent_id) : NOTHING;
    if (refunds.kind !== 'ok') return this.lookLater(run, refunds);
    const disputed = captured && (outcome.value.disputed !== false || payment.disputes.length > 0);
    const disputes = disputed ? await this.listDisputes(payment.intent_id) : NOTHING;
    if (disputes.kind !== 'ok') return this.lookLater(run, disputes);
    const seen = { refunds: refunds.value, disputes: disputes.value };
    const refreshed = (now: Payment) => decideRefresh(now, outcome.value, seen, foreignRefundId);
    if (run.loaded.version === version && refreshed(paymentOf(run)) === null) return nextLookUp(this.now(), run.held.attempt + 1);
    const fresh = await this.deps.recorder.record(run, 'payments.refresh.recorded', (now) =>
      run.loaded.version === version ? refreshed(now) : null,
    );
    return fresh ? null : this.now();
  }

  private withoutAnswer(run: Run): Date {
    run.waitsFor = 'answer_missing';
    return nextLookUp(this.now(), run.held.attempt + 1);
  }

  private listRefunds(payment_intent: string) {
    const list = this.deps.calls.at('payments.lookup.refunds');
    return everyPage((query) => list.listRefunds(query), { payment_intent });
  }

  private listDisputes(payment_intent: string) {
    const list = this.deps.calls.at('payments.lookup.disputes');
    return everyPage((query) => list.listDisputes(query), { payment_intent });
  }

  /** A call that certainly had no effect: the same key again, later. */
  private turnedAway(run: Run, outcome: StripeOutcome<unknown>): Date {
    const retryAfterMs = 'retryAfterMs' in outcome ? outcome.retryAfterMs : 0;
    run.turnedAway = { retryAfterMs: Math.max(retryAfterMs, 1000) };
    const payment = paymentOf(run);
    const untilExpiry = isExpired(payment, this.now()) ? null : new Date(Date.parse(deadlineOf(payment)) + 1000);
    const due = this.turnAgain(run, outcome, retryAfterMs);
    if (run.limitedUntil) run.limitedUntil = earlier(run.limitedUntil, untilExpiry);
    return earlier(due, untilExpiry) ?? due;
  }

  private lookLater(run: Run, outcome: StripeOutcome<unknown>): Date {
    if (outcome.kind === 'refused' || outcome.kind === 'limited') return this.turnAgain(run, outcome, outcome.retryAfterMs);
    run.waitsFor = outcome.kind === 'auth' ? 'auth' : 'answer_missing';
    return nextLookUp(this.now(), run.held.attempt + 1);
  }

  /** When to come back after a call that was not made. */
  private turnAgain(run: Run, outcome: StripeOutcome<unknown>, retryAfterMs: number): Date {
    noteTurnedAway(run, outcome, this.now());
    return nextRetry(this.now(), run.held.attempt, retryAfterMs, this.deps.random());
  }

  /** Stripe denies an intent that we committed: a wrong key or account, never a reason to cancel anything. */
  private alarmMissing(payment: Payment): void {
    const fields = { payment_id: payment.terms.payment_id, stripe_payment_intent: payment.intent_id };
    this.deps.logger.error(
      { event: 'stripe_intent_missing', ...fields },
      'Stripe does not know a PaymentIntent that we recorded; check key and account',
    );
  }

  private now(): Date {
    return this.deps.clock.now();
  }
}

function refundOf(run: Run, id: string): Refund {
  const refund = paymentOf(run).refunds.find((one) => one.id === id);
  if (!refund) throw new Error(`Bug: refund ${id} vanished`);
  return refund;
}
