import { type CheckoutSession } from '@tidegate/stripe-gateway/intent';
import { everyPage } from '@tidegate/stripe-gateway/every-page';
import { type StripeOutcome } from '@tidegate/stripe-gateway/port';
import { type Logger } from '@tidegate/telemetry/logger';
import { type LeaseKeeper } from '../work/lease-keeper.js';
import { type LostObjects, together } from '../work/lost-objects.js';
import { wasRestoredSince } from '../work/restores.store.js';
import { earlier, nextLookUp, nextRetry } from '../work/schedule.js';
import { keepRefresh, release, type WaitsFor } from '../work/work.store.js';
import { adoptPayment, type AdoptionDeps } from './adopt-payment.js';
import { type LatePolicy } from './checkout.events.js';
import { callIdOf, type Checkout, type Lifecycle, sessionOf } from './checkout.state.js';
import { isGivenBack, refundLateSuccess, type LateRefundDeps } from './late-refund.js';
import { type Recorder, type RecorderDeps } from './recorder.js';
import { checkoutOf, type Run } from './run.js';
import {
  decideExpireAnswer,
  decideFound,
  decideInterrupted,
  decideNoPage,
  decideOpenAnswer,
  decideOverdue,
  decideTruth,
  isTooLate,
  paymentOf,
  type Truth,
  usableOf,
} from './session.decide.js';
import { type StripeCalls } from './stripe-calls.js';

export interface CarryOnDeps extends RecorderDeps, LateRefundDeps, AdoptionDeps {
  calls: StripeCalls;
  recorder: Recorder;
  keeper: LeaseKeeper;
  lost: LostObjects<CheckoutSession>;
  logger: Logger;
  latePolicy: LatePolicy;
  random(): number;
}

/** Calls that open or close, before a run leaves the rest to the schedule. */
const CALLS_PER_RUN = 3;
const TURNED_AWAY_BY: Partial<Record<StripeOutcome<unknown>['kind'], WaitsFor>> = {
  refused: 'breaker_open',
  limited: 'rate_limited',
  in_use: 'key_in_use',
  auth: 'auth',
};
/** Lists are searched from a little before the first call, for clocks that differ. Seconds. */
const EARLIER = 300;
/** A window that should be closed is looked at at least this often. */
const SWEEP_MS = 300_000;
/** A delayed payment whose news may be lost is asked for so often. */
const DELAYED_MS = 3_600_000;
/** A late success that could not be given back is looked at so often. */
const STUCK_MS = 3_600_000;

type Of<S extends Lifecycle['status']> = Extract<Lifecycle, { status: S }>;
/** When to go on; null: at once. */
type Later = { dueAt: Date | null } | null;

/**
 * Takes a checkout as far as it gets now: makes the calls that were committed to, looks for the effect of calls whose answer is missing, closes the page when
 * the window is over, and believes what Stripe says about it. Nothing here holds a transaction across a call.
 */
export class CarryOn {
  constructor(private readonly deps: CarryOnDeps) {}

  /** One tenure of the lease. When it throws, the lease runs out by itself and the next holder knows that a call may be out. */
  async run(run: Run): Promise<void> {
    this.deps.keeper.keep(run.held);
    try {
      const dueAt = await this.settle(run);
      const waitsFor = run.waitsFor ?? waitOf(checkoutOf(run));
      const attempt = waitsFor === 'window' ? 0 : run.held.attempt + (waitsFor === 'breaker_open' ? 0 : 1);
      if (dueAt !== null && run.refresh !== run.held.refresh) await keepRefresh(this.deps.db, run.held, run.refresh);
      const { more } = await release(this.deps.db, run.held, dueAt === null ? null : { dueAt, attempt, waitsFor });
      this.deps.signals.wake(run.held.payment_id);
      if (more) this.deps.onWork();
    } finally {
      this.deps.keeper.drop(run.held);
    }
  }

  private async settle(run: Run): Promise<Date | null> {
    for (let calls = 0; ;) {
      const later = await this.step(run, calls < CALLS_PER_RUN && Date.now() < run.deadline, () => (calls += 1));
      if (later) return later.dueAt;
    }
  }

  private async step(run: Run, mayCall: boolean, calling: () => void): Promise<Later> {
    const checkout = checkoutOf(run);
    const { lifecycle } = checkout;
    const callId = callIdOf(checkout);
    if (callId !== null && run.stale === callId) {
      run.stale = null;
      await this.deps.recorder.record(run, 'payments.checkout.looked_up', (now) => decideInterrupted(now, callId));
      return null;
    }
    if (run.refresh && lifecycle.status !== 'opening') {
      run.refresh = false;
      return this.look(run);
    }
    switch (lifecycle.status) {
      case 'opening':
        return this.opening(run, lifecycle, mayCall, calling);
      case 'open':
        if (await this.deps.recorder.record(run, 'payments.checkout.submitted', (now) => decideOverdue(now, this.now()))) return null;
        return checkoutOf(run).lifecycle.status === 'open' ? { dueAt: new Date(checkoutOf(run).window_ends_at) } : null;
      case 'closing':
        return this.closing(run, lifecycle, mayCall, calling);
      case 'complete':
        return this.complete(run, lifecycle);
      case 'expired':
      case 'failed':
        return { dueAt: null };
      default:
        return lifecycle satisfies never;
    }
  }

  private async opening(run: Run, { call }: Of<'opening'>, mayCall: boolean, calling: () => void): Promise<Later> {
    if (call.answer === 'missing') return this.find(run);
    if (isTooLate(checkoutOf(run), this.now())) {
      await this.deps.recorder.record(run, 'payments.checkout.submitted', (now) => decideNoPage(now, this.now()));
      return null;
    }
    if (!mayCall) return { dueAt: nextLookUp(this.now(), run.held.attempt + 1) };
    const found = await this.findLost(run);
    if (found) return found.later;
    calling();
    const checkout = checkoutOf(run);
    if (checkout.lifecycle.status !== 'opening') return null;
    const callId = callIdOf(checkout) ?? '';
    const outcome = await this.deps.calls.open(checkout, checkout.lifecycle);
    if (decideOpenAnswer(checkout, callId, outcome)?.length === 0) return this.turnedAway(run, outcome);
    await this.deps.recorder.record(run, 'payments.checkout.session_recorded', (now) => decideOpenAnswer(now, callId, outcome));
    return null;
  }

  private async closing(run: Run, lifecycle: Of<'closing'>, mayCall: boolean, calling: () => void): Promise<Later> {
    if (lifecycle.call.answer === 'missing') return this.look(run);
    if (!mayCall) return { dueAt: this.lookLaterAt(run) };
    if (!run.sought && (await wasRestoredSince(this.deps.db, checkoutOf(run).created_at))) {
      run.sought = true;
      return this.look(run);
    }
    calling();
    const checkout = checkoutOf(run);
    const callId = callIdOf(checkout) ?? '';
    const outcome = await this.deps.calls.close(lifecycle);
    if (decideExpireAnswer(checkout, callId, outcome, this.now())?.length === 0) return this.turnedAway(run, outcome);
    await this.deps.recorder.record(run, 'payments.checkout.expire_recorded', (now) =>
      decideExpireAnswer(now, callId, outcome, this.now()),
    );
    return null;
  }

  private async complete(run: Run, { payment, late }: Of<'complete'>): Promise<Later> {
    if (payment === 'awaited') {
      const due = new Date(this.now().getTime() + DELAYED_MS);
      run.refresh = true;
      return { dueAt: due };
    }
    if (late === 'refunded') return this.refunded(run);
    if (late !== 'refunding') return { dueAt: null };
    const refund = await refundLateSuccess(this.deps, checkoutOf(run), run.cause.correlation_id);
    if (refund.kind === 'later') return { dueAt: nextLookUp(this.now(), run.held.attempt + 1) };
    if (refund.kind === 'stuck') return { dueAt: new Date(this.now().getTime() + STUCK_MS) };
    await this.deps.recorder.record(run, 'payments.checkout.late_refunded', ({ lifecycle }) =>
      lifecycle.status === 'complete' && lifecycle.late === 'refunding' ? refund.events : null,
    );
    return null;
  }

  /** A refund can fail days after it was made. */
  private async refunded(run: Run): Promise<Later> {
    if (await isGivenBack(this.deps.db, checkoutOf(run))) return { dueAt: null };
    await this.deps.recorder.record(run, 'payments.checkout.late_refund_failed', ({ lifecycle }) =>
      lifecycle.status === 'complete' && lifecycle.late === 'refunded'
        ? [{ type: 'LateSuccessDecided', data: { action: 'refund', because: 'refund_failed' } }]
        : null,
    );
    return null;
  }

  /** Every page that was made for this checkout since it began, or in a time whose record a restore has lost. */
  private async find(run: Run): Promise<Later> {
    const { terms, created_at } = checkoutOf(run);
    const list = this.deps.calls.at('payments.checkout.lookup_list');
    const gte = Math.floor(Date.parse(created_at) / 1000) - EARLIER;
    const all = await everyPage((query) => list.listCheckoutSessions(query), { created: { gte } });
    if (all.kind !== 'ok') return this.lookLater(run, all);
    const lost = await this.deps.lost.of(terms.checkout_id);
    if (lost.kind !== 'ok') return this.lookLater(run, lost);
    const ours = all.value.filter((session) => session.metadata['checkout_id'] === terms.checkout_id);
    const found = together(ours, lost.value);
    const again = decideFound(checkoutOf(run), found, this.now())?.[0]?.type === 'SessionSubmitted';
    const name = again ? 'payments.checkout.submitted' : 'payments.checkout.looked_up';
    await this.deps.recorder.record(run, name, (now) => decideFound(now, found, this.now()));
    run.refresh ||= found.some((session) => session.status === 'complete');
    return null;
  }

  /** Before a page is asked for: one that was opened in a time whose record a restore has lost. Null when there is none. */
  private async findLost(run: Run): Promise<{ later: Later } | null> {
    if (run.sought) return null;
    const lost = await this.deps.lost.of(run.held.payment_id);
    if (lost.kind !== 'ok') return { later: this.lookLater(run, lost) };
    run.sought = true;
    const usable = usableOf(checkoutOf(run), lost.value);
    if (!usable) return null;
    await this.deps.recorder.record(run, 'payments.checkout.looked_up', (now) => decideFound(now, lost.value, this.now()));
    run.refresh ||= usable.status === 'complete';
    return { later: null };
  }

  /** Asks Stripe how the page stands, and believes it. */
  private async look(run: Run): Promise<Later> {
    const { lifecycle } = checkoutOf(run);
    const id = 'stripe_session' in lifecycle ? lifecycle.stripe_session : null;
    if (id === null) return null;
    const outcome = await this.deps.calls.at('payments.checkout.lookup').retrieveCheckoutSession(id);
    if (outcome.kind === 'not_found') this.alarmMissing(run, id);
    const truth = outcome.kind === 'ok' ? await this.truthOf(run, outcome.value) : this.lookLater(run, outcome);
    if ('dueAt' in truth) {
      run.refresh = true;
      return truth;
    }
    await this.deps.recorder.record(run, 'payments.checkout.looked_up', (now) => decideTruth(now, truth, this.now(), this.deps.latePolicy));
    run.refresh ||= truth.lost?.some((page) => page.status === 'complete' && page.id === sessionOf(checkoutOf(run))) === true;
    return null;
  }

  /** When a payer was through is told by the charge: the session does not say. */
  private async truthOf(run: Run, session: CheckoutSession): Promise<Truth | { dueAt: Date | null }> {
    const now = this.now().toISOString();
    if (session.status === 'expired') {
      const lost = await this.deps.lost.of(run.held.payment_id);
      return lost.kind === 'ok' ? { session, payment: 'failed', completedAt: now, lost: lost.value } : this.lookLater(run, lost);
    }
    if (session.status !== 'complete' || session.payment_intent === null)
      return { session, payment: paymentOf(session, null), completedAt: now };
    const stripe = this.deps.calls.at('payments.checkout.lookup');
    const intent = await stripe.retrieveIntent(session.payment_intent);
    if (intent.kind !== 'ok') return this.lookLater(run, intent);
    const charge = intent.value.latest_charge === null ? null : await stripe.retrieveCharge(intent.value.latest_charge);
    if (charge && charge.kind !== 'ok') return this.lookLater(run, charge);
    await adoptPayment(this.deps, { session, intent: intent.value, cause: run.cause });
    const completedAt = charge ? new Date(charge.value.created * 1000).toISOString() : now;
    return { session, payment: paymentOf(session, intent.value), completedAt };
  }

  /** A call that certainly had no effect: the same key again, later. */
  private turnedAway(run: Run, outcome: StripeOutcome<unknown>): { dueAt: Date | null } {
    const retryAfterMs = 'retryAfterMs' in outcome ? outcome.retryAfterMs : 0;
    run.turnedAway = { retryAfterMs: Math.max(retryAfterMs, 1000) };
    run.waitsFor = TURNED_AWAY_BY[outcome.kind] ?? 'another_look';
    return { dueAt: nextRetry(this.now(), run.held.attempt, retryAfterMs, this.deps.random()) };
  }

  private lookLater(run: Run, outcome: StripeOutcome<unknown>): { dueAt: Date | null } {
    if (outcome.kind === 'refused' || outcome.kind === 'limited') return this.turnedAway(run, outcome);
    return { dueAt: this.lookLaterAt(run) };
  }

  private lookLaterAt(run: Run): Date | null {
    const now = this.now();
    return earlier(nextLookUp(now, run.held.attempt + 1), new Date(now.getTime() + SWEEP_MS));
  }

  /** Stripe denies a page that we committed: a wrong key or account, never a reason to call it expired. */
  private alarmMissing(run: Run, id: string): void {
    this.deps.logger.error(
      { event: 'stripe_session_missing', payment_session_id: run.held.payment_id, stripe_session: id },
      'Stripe does not know a Checkout Session that we recorded; check key and account',
    );
  }

  private now(): Date {
    return this.deps.clock.now();
  }
}

function waitOf({ lifecycle }: Checkout): WaitsFor {
  if (lifecycle.status === 'open') return 'window';
  return 'call' in lifecycle ? 'answer_missing' : 'another_look';
}
