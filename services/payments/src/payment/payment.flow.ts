import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { inSpan } from '@tidegate/telemetry/tracing';
import { findKey, type KnownKey, storedReply } from '../idempotency/idempotency.store.js';
import { type PaymentOperation, type Scope } from '../idempotency/identity.js';
import { type RequestDetails } from '../tables.js';
import { acquire, type Held, release } from '../work/work.store.js';
import { Acceptance, MayHaveBeenSent } from './acceptance.js';
import { type CarryOn, type CarryOnDeps } from './carry-on.flow.js';
import { type PaymentCommand } from './payment.commands.js';
import { decide } from './payment.decide.js';
import { isFinal, isUnsent, type Payment, statusOf, whileRunning } from './payment.state.js';
import { type Commit, load, type Loaded, nothingLoaded, PaymentMoved } from './payment.store.js';
import { paymentReply, problemReply, refundReply, rejectionReply } from './payment.reply.js';
import { isCertain } from './refund.decide.js';
import { type Cause, openCalls, type Run } from './run.js';

export interface PaymentFlowDeps extends CarryOnDeps {
  carryOn: CarryOn;
  instance: string;
  /** No call of a request starts later than this after its arrival; the loop takes over then. */
  runMs: number;
  /** A request is answered with the current state by then, whatever still runs. */
  answerMs: number;
}

/** One request that wants to change a payment. */
export interface Ask {
  operation: PaymentOperation;
  scope: Scope;
  request_hash: string;
  request_id: string;
  payment_id: string;
  command: PaymentCommand;
  details: RequestDetails | null;
  /** Answers at once; the loop makes the calls. */
  queued: boolean;
  /** A reason not to begin, looked at only when the key is new: it costs a call, or depends on the time. */
  objection: ((loaded: Loaded) => Promise<HttpReply | null>) | null;
  cause: Cause;
  /** Wall clock, epoch milliseconds: when the request came in. */
  startedAt: number;
}

type Begun =
  { kind: 'reply'; reply: HttpReply } | { kind: 'duplicate' } | { kind: 'busy' } | { kind: 'running'; run: Run } | { kind: 'waiting' };

const POLL_MS = 100;
const TAKE_OVER_MS = 1000;

/**
 * The steps of a request that changes a payment: claim its key, decide, commit, then call Stripe and record; each step a transaction or a call with a name.
 * Any number of repetitions, here or in other replicas, join the first one.
 */
export class PaymentFlow {
  private runs = 0;
  /** Work in hand, for the shutdown. */
  private readonly inHand = new Set<Promise<unknown>>();

  private readonly acceptance: Acceptance;

  constructor(private readonly deps: PaymentFlowDeps) {
    this.acceptance = new Acceptance(deps);
  }

  async handle(ask: Ask): Promise<HttpReply> {
    const work = this.answered(ask);
    this.inHand.add(work);
    try {
      return await work;
    } finally {
      this.inHand.delete(work);
    }
  }

  /** Resolves when no request and no run started by one is in hand. */
  async idle(): Promise<void> {
    while (this.inHand.size > 0) await Promise.allSettled(this.inHand);
  }

  private async answered(ask: Ask): Promise<HttpReply> {
    for (;;) {
      const begun = await this.begin(ask);
      switch (begun.kind) {
        case 'reply':
          return begun.reply;
        case 'duplicate':
          this.deps.metrics.key('joined');
          return this.join(ask, 'duplicate');
        case 'waiting':
          return this.join(ask, 'first');
        case 'running':
          return this.finish(ask, begun.run);
        case 'busy':
          if (Date.now() >= ask.startedAt + this.deps.runMs)
            return this.unavailable(ask, 'Another command on this payment has no certain outcome yet.', 5000);
          await this.takeOver(ask);
          await this.deps.signals.wait(ask.payment_id, POLL_MS);
          break;
        default:
          return begun satisfies never;
      }
    }
  }

  /** Everything up to the commit of the acceptance. */
  private async begin(ask: Ask): Promise<Begun> {
    const creates = ask.command.type === 'CreatePayment';
    const door = ask.queued ? null : await this.deps.fleet.door('stripe');
    if (!creates || door || ask.objection) {
      const known = await findKey(this.deps.db, ask.scope);
      if (known) return this.known(ask, known);
    }
    if (door && !(await this.needsNoCall(ask)))
      return { kind: 'reply', reply: this.unavailable(ask, `${door.why}; nothing was begun.`, door.retryAfterMs) };

    const loaded = creates ? nothingLoaded : await load(this.deps.db, ask.payment_id);
    const objection = ask.objection ? await ask.objection(loaded) : null;
    if (objection) return creates && (await this.isThere(ask)) ? this.existing(ask) : { kind: 'reply', reply: objection };
    const decision = await inSpan('payments.decide', { attributes: { 'payments.command': ask.command.type } }, async () =>
      decide(loaded.state, ask.command),
    );
    if (decision.kind === 'busy') return { kind: 'busy' };
    if (decision.kind === 'known') return this.refuse(ask, refundReply(decision.refund, ask.request_id));
    try {
      return decision.kind === 'refused'
        ? await this.refuse(ask, rejectionReply(decision.refusal, ask.request_id))
        : await this.accept(ask, loaded, decision.events);
    } catch (error) {
      if (error instanceof MayHaveBeenSent) return { kind: 'busy' };
      if (!(error instanceof PaymentMoved)) throw error;
      return creates ? this.existing(ask) : this.begin(ask);
    }
  }

  /** What waits in the queue is canceled here: while Stripe is away it would else be charged as soon as Stripe is back. */
  private async needsNoCall({ command, payment_id, scope }: Ask): Promise<boolean> {
    if (command.type !== 'CancelPayment') return false;
    const { state } = await load(this.deps.db, payment_id);
    return state.kind === 'payment' && state.terms.tenant === scope.tenant && isUnsent(state);
  }

  private async accept(ask: Ask, before: Loaded, events: Commit['events']): Promise<Begun> {
    const holder = `${this.deps.instance}#${(this.runs += 1)}`;
    const accepted = await this.acceptance.accept(ask, before, events, holder);
    if (!accepted) return this.duplicate(ask);
    this.deps.metrics.key('fresh');
    this.deps.recorder.announce(before, accepted.after.state, [...accepted.replies.keys()], false);
    if (!accepted.lease.held) return { kind: 'waiting' };
    const held: Held = {
      payment_id: ask.payment_id,
      holder,
      due_at: this.deps.clock.now(),
      revision: accepted.lease.revision,
      attempt: 0,
      refresh: accepted.lease.refresh,
      woken: null,
      takenOver: false,
    };
    return { kind: 'running', run: { ...this.newRun(held, accepted.after, ask), replies: accepted.replies } };
  }

  /** What the state of the payment answers by itself is certain: every repetition gets the same bytes. */
  private async refuse(ask: Ask, reply: HttpReply, shown: Loaded | null = null): Promise<Begun> {
    if (!(await this.acceptance.refuse(ask, reply, shown))) return this.duplicate(ask);
    this.deps.metrics.key('fresh');
    return { kind: 'reply', reply };
  }

  /** What may not begin any more may have been done in a time whose record a restore has lost. */
  private async isThere({ payment_id }: Ask): Promise<boolean> {
    return (await load(this.deps.db, payment_id)).state.kind !== 'none';
  }

  /** A payment that was to be new is there: its key was faster, as a rule. */
  private async existing(ask: Ask): Promise<Begun> {
    const known = await findKey(this.deps.db, ask.scope);
    return known ? this.known(ask, known) : this.attach(ask);
  }

  /** The payment exists, the key does not: the key was lost with a restore, and Stripe's news brought the payment back. */
  private async attach(ask: Ask): Promise<Begun> {
    const loaded = await load(this.deps.db, ask.payment_id);
    const { state } = loaded;
    if (state.kind === 'none' || state.terms.tenant !== ask.scope.tenant || state.pending) return { kind: 'busy' };
    const intent = state.intent_id === null ? null : await this.deps.calls.at('payments.lookup.intent').retrieveIntent(state.intent_id);
    if (intent && intent.kind !== 'ok')
      return { kind: 'reply', reply: this.unavailable(ask, 'Stripe could not be asked about this payment.', 5000) };
    try {
      return await this.refuse(ask, paymentReply(ask.operation, state, intent?.value ?? null), loaded);
    } catch (error) {
      if (!(error instanceof PaymentMoved)) throw error;
      return { kind: 'busy' };
    }
  }

  private async duplicate(ask: Ask): Promise<Begun> {
    const known = await findKey(this.deps.db, ask.scope);
    return known ? this.known(ask, known) : { kind: 'busy' };
  }

  private known(ask: Ask, known: KnownKey): Begun {
    if (known.request_hash !== ask.request_hash)
      return this.replied(
        'mismatch',
        problemReply('idempotency.mismatch', 'The first request with this key had another body.', ask.request_id),
      );
    const stored = storedReply(known);
    if (stored === 'expired')
      return this.replied('expired', problemReply('idempotency.key_expired', 'Use a new key for a new request.', ask.request_id));
    return stored ? this.replied('replayed', stored) : { kind: 'duplicate' };
  }

  private replied(result: 'mismatch' | 'expired' | 'replayed', reply: HttpReply): Begun {
    this.deps.metrics.key(result);
    return { kind: 'reply', reply };
  }

  /** Runs what was accepted and answers with the certain outcome, or with the current state when time is up. */
  private async finish(ask: Ask, run: Run): Promise<HttpReply> {
    if (ask.queued) return this.queue(ask, run);
    await this.inTime(ask, this.deps.carryOn.run(run, { command_id: ask.command.command_id, details: ask.details ?? {} }));
    const reply = run.replies.get(ask.command.command_id) ?? (await this.stored(ask));
    if (reply) return reply;
    if (run.turnedAway)
      return this.unavailable(ask, 'Stripe takes no calls right now; this request goes on by itself.', run.turnedAway.retryAfterMs);
    return this.current(ask, run.loaded.state as Payment);
  }

  /** Waits for a run until the request must be answered; the run itself goes on. */
  private async inTime(ask: Ask, work: Promise<void>): Promise<void> {
    this.inHand.add(work);
    work.catch((err: unknown) =>
      this.deps.logger.error({ event: 'payment_run_failed', payment_id: ask.payment_id, err }, 'A run broke off; the next one goes on'),
    );
    void work.catch(() => undefined).then(() => this.inHand.delete(work));
    await within(work, ask.startedAt + this.deps.answerMs - Date.now());
  }

  /** The answer, when it is certain, whoever found it out. */
  private async stored(ask: Ask): Promise<HttpReply | null> {
    const known = await findKey(this.deps.db, ask.scope);
    const stored = known ? storedReply(known) : null;
    return stored === 'expired' ? null : stored;
  }

  /** Leaves the payment to the loop. */
  private async queue(ask: Ask, run: Run): Promise<HttpReply> {
    await release(this.deps.db, run.held, { dueAt: run.held.due_at, attempt: 0, waitsFor: 'queued' });
    this.deps.onWork();
    return this.current(ask, run.loaded.state as Payment);
  }

  /** Waits for the outcome of a request that runs elsewhere, and takes over when whoever ran it is gone. */
  private async join(ask: Ask, who: 'first' | 'duplicate'): Promise<HttpReply> {
    const until = ask.startedAt + this.deps.runMs;
    for (let round = 1; Date.now() < until; round += 1) {
      const stored = await this.stored(ask);
      if (stored) return stored;
      const open = who === 'duplicate' && round % (TAKE_OVER_MS / POLL_MS) === 1 ? await this.openState(ask) : null;
      if (open) return open;
      if (who === 'first' || round % (TAKE_OVER_MS / POLL_MS) === 0) await this.takeOver(ask);
      await this.deps.signals.wait(ask.command.command_id, POLL_MS);
    }
    if (who === 'first') return this.current(ask, (await load(this.deps.db, ask.payment_id)).state as Payment);
    this.deps.metrics.key('in_progress');
    return problemReply('idempotency.in_progress', 'The first request with this key is still running.', ask.request_id, {
      retryAfterMs: 1000,
    });
  }

  /** While a payment is queued or unknown, a repetition is told so at once. */
  private async openState(ask: Ask): Promise<HttpReply | null> {
    const { state } = await load(this.deps.db, ask.payment_id);
    if (state.kind === 'none') return null;
    const refund =
      ask.command.type === 'RefundPayment' ? state.refunds.find((one) => one.command_id === ask.command.command_id) : undefined;
    if (refund?.status === 'unknown') return refundReply(refund, ask.request_id);
    const mine = state.pending?.command_id === ask.command.command_id;
    if (isDecided(ask, state)) return null;
    return mine && (state.pending?.unknown || statusOf(state) === 'queued') ? this.current(ask, state) : null;
  }

  /** Carries the payment on here if nobody alive does and its time has come. */
  private async takeOver(ask: Ask): Promise<void> {
    const held = await acquire(this.deps.db, ask.payment_id, `${this.deps.instance}#${(this.runs += 1)}`, this.deps.clock.now());
    if (!held) return;
    const loaded = await load(this.deps.db, ask.payment_id);
    await this.inTime(ask, this.deps.carryOn.run(this.newRun(held, loaded, ask)));
  }

  private newRun(held: Held, loaded: Loaded, ask: Pick<Ask, 'cause' | 'startedAt'>): Run {
    const stale = held.takenOver ? openCalls(loaded.state) : new Set<string>();
    return {
      held,
      loaded,
      cause: ask.cause,
      deadline: ask.startedAt + this.deps.runMs,
      stale,
      released: false,
      replies: new Map(),
      turnedAway: null,
      refused: false,
      waitsFor: 'another_look',
      limitedUntil: null,
    };
  }

  /**
   * How things stand while the answer is open. An outcome is told only by the answer that is kept, since its bytes are the certain ones: by one that was stored since
   * `stored` looked, and not yet when it is only Stripe's news that tell.
   */
  private async current(ask: Ask, payment: Payment): Promise<HttpReply> {
    const { command_id } = ask.command;
    const refund = payment.refunds.find((one) => one.command_id === command_id);
    const isOpen = refund ? !refund.completed : payment.pending?.command_id === command_id;
    const kept = isOpen ? null : await this.stored(ask);
    if (kept) return kept;
    if (isOpen && (refund ? isCertain(refund) : isFinal(payment)))
      return this.unavailable(ask, 'The answer to this request is being recorded; repeat it with the same key.', 1000);
    return refund ? refundReply(refund, ask.request_id) : paymentReply(ask.operation, whileRunning(payment, command_id), null);
  }

  private unavailable(ask: Ask, detail: string, retryAfterMs: number): HttpReply {
    return problemReply('payments.stripe_unavailable', detail, ask.request_id, { retryAfterMs });
  }
}

/** Stripe's news told the outcome of the payment before the answer of this request is certain. */
const isDecided = (ask: Ask, payment: Payment): boolean => payment.pending?.command_id === ask.command.command_id && isFinal(payment);

/** Waits for `work`, `ms` at most; its error is thrown if it comes in time. */
async function within(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const time = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, ms));
  });
  try {
    await Promise.race([work, time]);
  } finally {
    clearTimeout(timer);
  }
}
