import { type Failpoints } from '@tidegate/database/failpoints';
import { type Invoice, type Subscription } from '@tidegate/stripe-gateway/billing';
import { everyPage } from '@tidegate/stripe-gateway/every-page';
import { type StripeFailure, type StripeOutcome, type StripePort } from '@tidegate/stripe-gateway/port';
import { withFailpoints } from '@tidegate/stripe-gateway/with-failpoints';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Kysely } from 'kysely';
import { type BillingMetrics } from '../observed/billing.metrics.js';
import { type Refetch, type Refetched } from '../observed/refetch.flow.js';
import { type PaymentsTables } from '../tables.js';
import { type LeaseKeeper } from '../work/lease-keeper.js';
import { oldestRestorePoint } from '../work/restores.store.js';
import { earlier, nextLookUp, nextRetry } from '../work/schedule.js';
import { type Signals } from '../work/signals.js';
import { type Held, release, type WaitsFor } from '../work/work.store.js';
import {
  again,
  type Command,
  decideAnswer,
  decideExpired,
  decideFound,
  decidePaid,
  decideUnseen,
  isDoubtful,
  isExpired,
  isPayable,
  lookNow,
  mayBeOut,
  notAfter,
  type Step,
  wanting,
  wasTried,
} from './command.decide.js';
import { CommandRecorder, EXPIRED, refusedByStripe } from './command.recorder.js';
import { findCommand, isCanceledNow, isOfOrphan } from './command.store.js';
import { isOver } from './subscription.seen.js';

export interface SubscriptionCarryOnDeps {
  db: Kysely<PaymentsTables>;
  stripe: StripePort;
  failpoints: Failpoints;
  clock: { now(): Date };
  signals: Signals;
  keeper: LeaseKeeper;
  logger: Logger;
  refetch: Refetch;
  billingMetrics: BillingMetrics;
  onWork(): void;
  random(): number;
  /** How long after its acceptance a create may begin a call, when it does not say itself. */
  windowMs: number;
  /** For how long the effect of a change must be absent before its call counts as never carried out. */
  absenceMs: number;
}

type Of<K extends Command['kind']> = Extract<Command, { kind: K }>;

/** When to go on, and why no call could be made, if that was the reason. */
interface End {
  dueAt: Date | null;
  turnedAway: { retryAfterMs: number } | null;
  waitsFor: WaitsFor;
}

const CALLS_PER_RUN = 4;
/** Lists are searched from a little before the first call, for clocks that differ. Seconds. */
const EARLIER = 300;

const done: End = { dueAt: null, turnedAway: null, waitsFor: 'answer_missing' };

/**
 * Takes a command about a subscription as far as it gets now: makes the calls that were committed to, looks for the effect of calls whose answer is missing, and in the
 * end asks Stripe how the subscription stands, which is the answer. No answer of a call is taken for the state: under a repeated key it is from back then.
 */
export class SubscriptionCarryOn {
  private readonly recorder: CommandRecorder;

  constructor(private readonly deps: SubscriptionCarryOnDeps) {
    this.recorder = new CommandRecorder(deps);
  }

  /**
   * One tenure of the lease. When it throws, the lease runs out by itself and the next holder looks before it calls. No step begins after `deadline` (epoch
   * milliseconds): the loop goes on then.
   */
  async run(held: Held, deadline = Infinity): Promise<Pick<End, 'turnedAway'>> {
    this.deps.keeper.keep(held);
    try {
      const end = await this.settle(held, deadline);
      const attempt = held.attempt + (['breaker_open', 'queued'].includes(end.waitsFor) ? 0 : 1);
      const { more } = await release(this.deps.db, held, end.dueAt && { dueAt: end.dueAt, attempt, waitsFor: end.waitsFor });
      this.deps.signals.wake(held.payment_id);
      if (more || end.waitsFor === 'queued') this.deps.onWork();
      return end;
    } finally {
      this.deps.keeper.drop(held);
    }
  }

  private async settle(held: Held, deadline: number): Promise<End> {
    let stale = held.takenOver;
    for (let calls = 0; ;) {
      const command = await findCommand(this.deps.db, held.payment_id);
      if (command?.state !== 'open') return done;
      const interrupted = stale && mayBeOut(command);
      stale = false;
      // Written down, because who comes next takes over from nobody, perhaps when it is too late for another call.
      if (interrupted) {
        await this.recorder.step('payments.subscription.submitted', command, { call_answer: 'missing' });
        continue;
      }
      if (Date.now() >= deadline) return { dueAt: this.deps.clock.now(), turnedAway: null, waitsFor: 'queued' };
      if (command.step === 'look') return this.look(held, command);
      const missing = isDoubtful(command, this.deps.clock.now());
      if (!missing && isExpired(command, this.time())) {
        await this.recorder.step('payments.subscription.create_recorded', command, decideExpired(command), { refusal: EXPIRED });
        continue;
      }
      if (!missing && (calls += 1) > CALLS_PER_RUN) return this.later(held, null);
      const end = await (missing ? this.find(held, command) : this.call(held, command));
      if (end) return end;
    }
  }

  private time(): { now: Date; windowMs: number } {
    return { now: this.deps.clock.now(), windowMs: this.deps.windowMs };
  }

  private call(held: Held, command: Command): Promise<End | null> {
    if (command.step === 'pay') return this.pay(held, command);
    switch (command.kind) {
      case 'create':
        return this.create(held, command);
      case 'change':
        return this.change(held, command);
      case 'cancel':
        return this.cancel(held, command);
      default:
        return command satisfies never;
    }
  }

  private find(held: Held, command: Command): Promise<End | null> {
    if (command.step === 'pay') return this.findPaid(held, command);
    return command.kind === 'create' ? this.findMade(held, command) : this.findDone(held, command);
  }

  /** All it sends follows from the row, so that a repeated call is byte-equal. */
  private async create(held: Held, command: Of<'create'>): Promise<End | null> {
    const { request, command_id, call_n, tenant } = command;
    const outcome = await this.at('payments.subscription.create').createSubscription(
      {
        customer: request.customer,
        items: request.items,
        paymentMethod: request.payment_method,
        trialDays: request.trial_days,
        collectionMethod: request.collection_method,
        daysUntilDue: request.days_until_due,
        cancelAtPeriodEnd: request.cancel_at_period_end,
        metadata: { tenant_id: tenant, command_id },
      },
      `${command_id}:create:${call_n}`,
    );
    // A call before this one may have made one after all.
    if (outcome.kind === 'ok' && call_n > 1) return this.findMade(held, command);
    return this.answered('payments.subscription.create_recorded', held, command, outcome);
  }

  /** Whatever Stripe's list shows that our calls made, under whichever key, also in a time whose record a restore has lost. */
  private async findMade(held: Held, command: Of<'create'>): Promise<End | null> {
    const list = this.at('payments.subscription.lookup_list');
    const restored = await oldestRestorePoint(this.deps.db);
    const since = restored !== null && restored < command.created_at ? restored : command.created_at;
    const gte = seconds(since) - EARLIER;
    const { customer } = command.request;
    const all = await everyPage((query) => list.listSubscriptions({ ...query, customer }), { created: { gte } });
    if (all.kind !== 'ok') return this.later(held, all);
    const ours = all.value.filter((one) => one.metadata['command_id'] === command.command_id);
    const { step, orphans } = decideFound(command, ours, this.time());
    const name = ours.length > 0 ? 'payments.subscription.create_recorded' : 'payments.subscription.submitted';
    await this.recorder.step(name, command, step, { orphans, refusal: EXPIRED });
    return null;
  }

  private async pay(held: Held, command: Command): Promise<End | null> {
    const invoice = await this.invoiceOf(held, command);
    if ('dueAt' in invoice) return invoice;
    if (invoice.shown === null || !isPayable(invoice.shown) || (await this.isTooLate(command))) return this.nothingToPay(command);
    const { call_n, command_id } = command;
    const outcome = await this.at('payments.subscription.pay').payInvoice(invoice.shown.id, `${command_id}:pay:${call_n}`);
    const step = decidePaid(outcome);
    if (step === null) return this.notMade(held, command, outcome);
    await this.recorder.step('payments.subscription.pay_recorded', command, step);
    return null;
  }

  /** An invoice is paid at most once, whatever the key: the next key is safe, and only needed when nothing has happened. */
  private async findPaid(held: Held, command: Command): Promise<End | null> {
    const invoice = await this.invoiceOf(held, command);
    if ('dueAt' in invoice) return invoice;
    const { shown } = invoice;
    if (shown === null || !isPayable(shown) || wasTried(shown) || (await this.isTooLate(command))) return this.nothingToPay(command);
    await this.recorder.step('payments.subscription.submitted', command, again(command, this.deps.clock.now()));
    return null;
  }

  private async nothingToPay(command: Command): Promise<null> {
    await this.recorder.step('payments.subscription.pay_recorded', command, lookNow);
    return null;
  }

  private async invoiceOf(held: Held, { invoice, command_id }: Command): Promise<End | { shown: Invoice | null }> {
    const seen = await this.deps.refetch.invoice(invoice ?? '', whyOf(command_id));
    if (seen.kind === 'no_answer') return this.later(held, seen.outcome);
    return { shown: seen.kind === 'seen' ? seen.shown : null };
  }

  /** What it sends is committed before the first call, because it depends on how the subscription stands. */
  private async change(held: Held, command: Of<'change'>): Promise<End | null> {
    const { subscription, command_id, params, call_n } = command;
    if (params === null) {
      const seen = await this.standing(held, command);
      if ('dueAt' in seen) return seen;
      const left = seen.shown && wanting(command, seen.shown);
      const step: Step = left === null ? lookNow : { params: left };
      await this.recorder.step('payments.subscription.submitted', command, step);
      return null;
    }
    const outcome = await this.at('payments.subscription.change').updateSubscription(
      subscription,
      params,
      `${command_id}:change:${call_n}`,
    );
    return this.answered('payments.subscription.change_recorded', held, command, outcome);
  }

  private async cancel(held: Held, command: Of<'cancel'>): Promise<End | null> {
    const { subscription, command_id, call_n, request } = command;
    const stripe = this.at('payments.subscription.cancel');
    const outcome = request.at_period_end
      ? await stripe.updateSubscription(subscription, { cancelAtPeriodEnd: true }, `${command_id}:cancel:${call_n}`)
      : await stripe.cancelSubscription(subscription);
    const name = 'payments.subscription.cancel_recorded';
    // One that is over already cannot be canceled: that is what was asked for.
    if (outcome.kind === 'not_found' || outcome.kind === 'rejected') {
      const seen = await this.standing(held, command);
      if ('dueAt' in seen) return seen;
      if (seen.shown && isOver(seen.shown.status)) {
        await this.recorder.step(name, command, lookNow);
        return null;
      }
      if (isOfOrphan(command)) return this.orphanStays(held, command, outcome);
    }
    return this.answered(name, held, command, outcome);
  }

  /** A change or a cancellation without an answer: how the subscription stands says whether it came through. */
  private async findDone(held: Held, command: Of<'change' | 'cancel'>): Promise<End | null> {
    const seen = await this.standing(held, command);
    if ('dueAt' in seen) return seen;
    const now = this.deps.clock.now();
    const isNow = command.kind === 'cancel' && !command.request.at_period_end;
    const left = seen.shown === null || isOver(seen.shown.status) ? null : isNow ? {} : wanting(command, seen.shown);
    if (left === null) {
      await this.recorder.step(`payments.subscription.${command.kind}_recorded`, command, lookNow);
      return null;
    }
    const { step, waitUntil } =
      command.kind === 'cancel'
        ? { step: again(command, now), waitUntil: null }
        : decideUnseen(command, left, { now, absenceMs: this.deps.absenceMs });
    await this.recorder.step('payments.subscription.submitted', command, step);
    return waitUntil && { dueAt: waitUntil, turnedAway: null, waitsFor: 'another_look' };
  }

  private async standing(held: Held, { subscription, command_id }: Command): Promise<End | { shown: Subscription | null }> {
    const seen = await this.deps.refetch.subscription(subscription ?? '', whyOf(command_id));
    if (seen.kind === 'no_answer') return this.later(held, seen.outcome);
    return { shown: seen.kind === 'seen' ? seen.shown : null };
  }

  /** How the subscription stands is the answer of the request, which is certain with it. */
  private async look(held: Held, command: Command): Promise<End> {
    const { db, refetch } = this.deps;
    const why = whyOf(command.command_id);
    const seen: Refetched<Subscription> = await refetch.subscription(command.subscription ?? '', why);
    // Denied by Stripe it is an alarm, and nothing is certain.
    if (seen.kind !== 'seen') return this.later(held, seen.kind === 'no_answer' ? seen.outcome : null);
    const { latest_invoice: invoice } = seen.shown;
    const bill = command.kind === 'create' && invoice ? await refetch.invoice(invoice, why) : null;
    if (bill?.kind === 'no_answer') return this.later(held, bill.outcome);
    const secret = await this.secretOf(seen.shown, bill?.kind === 'seen' ? bill.shown : null);
    if (secret.kind !== 'ok') return this.later(held, secret);
    await this.recorder.done(command, secret.value);
    return (await findCommand(db, command.id))?.state === 'open' ? this.later(held, null) : done;
  }

  /** With it the payer's browser pays the first invoice or authenticates, or gives the payment method that a trial began without. */
  private async secretOf(shown: Subscription, invoice: Invoice | null): Promise<{ kind: 'ok'; value: string | null } | StripeFailure> {
    const intent = shown.status === 'incomplete' && invoice?.status === 'open' ? invoice.payment_intents.at(-1) : undefined;
    const setup = isOver(shown.status) ? null : shown.pending_setup_intent;
    const stripe = this.at('payments.subscription.secret');
    if (intent === undefined && setup === null) return { kind: 'ok', value: null };
    const outcome = await (intent === undefined ? stripe.retrieveSetupIntent(setup ?? '') : stripe.retrieveIntent(intent));
    return outcome.kind === 'ok' ? { kind: 'ok', value: outcome.value.client_secret } : outcome;
  }

  private async answered(name: string, held: Held, command: Command, outcome: StripeOutcome<Subscription>): Promise<End | null> {
    const step = decideAnswer(command, outcome, this.deps.clock.now());
    if (step === null) return this.notMade(held, command, outcome);
    await this.recorder.step(name, command, step, { refusal: refusedByStripe(outcome) });
    return null;
  }

  /** No call was made; or an earlier one under the same key is still under way at Stripe, and nobody knows what comes of it. */
  private async notMade(held: Held, command: Command, outcome: StripeOutcome<unknown>): Promise<End> {
    if (outcome.kind === 'in_use') await this.recorder.step('payments.subscription.submitted', command, { call_answer: 'missing' });
    const end = this.later(held, outcome);
    const expiry = command.kind === 'create' && command.step === 'call' ? notAfter(command, this.deps.windowMs) : null;
    return { ...end, dueAt: expiry === null || expiry <= this.deps.clock.now() ? end.dueAt : earlier(end.dueAt, expiry) };
  }

  /** Nobody was told of it and nobody waits for an answer, so a refusal is no end: somebody may be charged for it one day. */
  private orphanStays(held: Held, { id, subscription }: Command, outcome: StripeOutcome<unknown>): End {
    const error = outcome.kind;
    this.deps.logger.error(
      { event: 'subscription_orphan_left', command: id, subscription_id: subscription, error },
      'Stripe does not cancel a subscription that a lost call made twice; cancel it there, and give the command up',
    );
    return this.later(held, null);
  }

  /** Nobody counts on being charged any more: its time is over, or somebody cancels it, or has, whose invoice Stripe may leave open. */
  private async isTooLate(command: Command): Promise<boolean> {
    const { db, clock, windowMs } = this.deps;
    if (clock.now() >= notAfter(command, windowMs) || (await isCanceledNow(db, command.subscription))) return true;
    const seen = await db
      .selectFrom('subscriptions')
      .select('status')
      .where('id', '=', command.subscription ?? '')
      .executeTakeFirst();
    return seen !== undefined && isOver(seen.status);
  }

  private later(held: Held, outcome: StripeOutcome<unknown> | null): End {
    const now = this.deps.clock.now();
    if (outcome === null || !('retryAfterMs' in outcome || outcome.kind === 'in_use' || outcome.kind === 'auth'))
      return { dueAt: nextLookUp(now, held.attempt + 1), turnedAway: null, waitsFor: 'answer_missing' };
    const retryAfterMs = 'retryAfterMs' in outcome ? outcome.retryAfterMs : 0;
    if (outcome.kind === 'refused') this.deps.billingMetrics.stopped('stripe_unavailable');
    const waitsFor = outcome.kind === 'refused' ? 'breaker_open' : outcome.kind === 'limited' ? 'rate_limited' : KEPT[outcome.kind];
    return { dueAt: nextRetry(now, held.attempt, retryAfterMs, this.deps.random()), turnedAway: { retryAfterMs }, waitsFor };
  }

  private at(name: string): StripePort {
    return withFailpoints(this.deps.stripe, this.deps.failpoints, name);
  }
}

const KEPT = { in_use: 'key_in_use', auth: 'auth' } as const;
const seconds = (at: Date): number => Math.floor(at.getTime() / 1000);
const whyOf = (command_id: string) => ({ correlation_id: command_id, actor: 'payments' });

/** One run of the loop. */
export async function carrySubscriptionCommand(
  { carryOn, logger, billingMetrics }: { carryOn: SubscriptionCarryOn; logger: Logger; billingMetrics: BillingMetrics },
  held: Held,
): Promise<void> {
  try {
    await carryOn.run(held);
  } catch (err) {
    billingMetrics.stopped('internal');
    logger.error({ event: 'subscription_run_failed', command: held.payment_id, err }, 'A run broke off; the next one goes on in 5 s');
  }
}
