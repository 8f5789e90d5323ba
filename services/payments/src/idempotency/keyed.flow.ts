import { type ProblemCode } from '@tidegate/contracts/problem';
import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { type Fleet } from '@tidegate/stripe-gateway/fleet/fleet';
import { type Kysely } from 'kysely';
import { problemReply } from '../payment/payment.reply.js';
import { type KeyResult } from '../payment/payment.metrics.js';
import { type PaymentsTables } from '../tables.js';
import { type Signals } from '../work/signals.js';
import { acquire, dueAt, type Held, lookSooner } from '../work/work.store.js';
import { findKey, type KnownKey, storedReply } from './idempotency.store.js';
import { type Scope } from './identity.js';

export interface KeyedFlowDeps {
  db: Kysely<PaymentsTables>;
  clock: { now(): Date };
  signals: Signals;
  fleet: Pick<Fleet, 'door'>;
  keys: { key(result: KeyResult): void };
  instance: string;
  /** No call of a request starts later than this after its arrival; the loop takes over then. */
  runMs: number;
}

/** `taken`: another request has the key. `busy`: ask again in a moment. */
export type Accepted =
  { kind: 'reply'; reply: HttpReply } | { kind: 'running'; held: Held } | { kind: 'waiting' } | { kind: 'taken' } | { kind: 'busy' };

/** Why a run stopped before certainty, when the reason was that no call could be made. */
export interface RunEnd {
  turnedAway: { retryAfterMs: number } | null;
}

/** A request with an Idempotency-Key about one object, whatever its kind. */
export interface Keyed {
  scope: Scope;
  request_hash: string;
  command_id: string;
  request_id: string;
  /** What the work is about, as it stands in `payment_work`. */
  object_id: string;
  /** Wall clock, epoch milliseconds: when the request came in. */
  startedAt: number;
  /** Whether it is pointless while Stripe takes no calls; then nothing is written. */
  needsStripe: boolean;
  /** A reason not to begin, looked at only when the key is new. */
  objection(): Promise<HttpReply | null>;
  /** Decides and commits, the key in the same transaction; takes the lease as `holder`. */
  accept(holder: string): Promise<Accepted>;
  /** One tenure of the lease. */
  carryOn(held: Held, deadline: number): Promise<RunEnd>;
}

const POLL_MS = 100;
/** When it is worth asking again while another request about the same is under way. */
const BUSY_MS = 5000;
const TAKE_OVER_ROUNDS = 10;

/**
 * Runs a request once, whatever number of repetitions arrive here or in other replicas: they join the first one, take over when its process is gone, and get
 * the answer that it stored. Certain answers are stored by whoever finds them out, together with the facts.
 */
export class KeyedFlow {
  private runs = 0;
  private readonly inHand = new Set<Promise<unknown>>();

  constructor(private readonly deps: KeyedFlowDeps) {}

  async handle(ask: Keyed): Promise<HttpReply> {
    const work = this.answered(ask);
    this.inHand.add(work);
    try {
      return await work;
    } finally {
      this.inHand.delete(work);
    }
  }

  /** Resolves when no request is in hand. */
  async idle(): Promise<void> {
    while (this.inHand.size > 0) await Promise.allSettled(this.inHand);
  }

  private async answered(ask: Keyed): Promise<HttpReply> {
    for (;;) {
      const known = await findKey(this.deps.db, ask.scope);
      if (known) return this.known(ask, known);
      const door = ask.needsStripe ? await this.deps.fleet.door('stripe') : null;
      if (door) return unavailable(ask, `${door.why}; nothing was begun.`, door.retryAfterMs);
      const objection = await ask.objection();
      if (objection) return objection;
      const accepted = await ask.accept(this.holder());
      switch (accepted.kind) {
        case 'reply':
          this.deps.keys.key('fresh');
          return accepted.reply;
        case 'running':
          this.deps.keys.key('fresh');
          return this.finish(ask, accepted.held);
        case 'waiting':
          return this.join(ask);
        case 'taken':
          break;
        case 'busy':
          if (Date.now() >= ask.startedAt + this.deps.runMs)
            return problemReply('payments.in_progress', 'Another request about this has no certain outcome yet.', ask.request_id, {
              retryAfterMs: BUSY_MS,
            });
          await this.takeOver(ask);
          await this.deps.signals.wait(ask.object_id, POLL_MS);
          break;
        default:
          accepted satisfies never;
      }
    }
  }

  private async known(ask: Keyed, known: KnownKey): Promise<HttpReply> {
    const problem = (result: 'mismatch' | 'expired', code: ProblemCode, detail: string) => {
      this.deps.keys.key(result);
      return problemReply(code, detail, ask.request_id);
    };
    if (known.request_hash !== ask.request_hash)
      return problem('mismatch', 'idempotency.mismatch', 'The first request with this key had another body.');
    const stored = storedReply(known);
    if (stored === 'expired') return problem('expired', 'idempotency.key_expired', 'Use a new key for a new request.');
    this.deps.keys.key(stored ? 'replayed' : 'joined');
    return stored ?? this.join(ask);
  }

  private async finish(ask: Keyed, held: Held): Promise<HttpReply> {
    const { turnedAway } = await ask.carryOn(held, ask.startedAt + this.deps.runMs);
    const stored = await this.stored(ask);
    if (stored) return stored;
    if (turnedAway)
      return unavailable(ask, 'Stripe takes no calls right now; this request goes on by itself.', Math.max(1000, turnedAway.retryAfterMs));
    return unavailable(ask, 'Stripe gave no certain answer; this request goes on by itself.', 5000);
  }

  /** Waits for the outcome of a request that runs elsewhere, and goes on itself when nobody does. */
  private async join(ask: Keyed): Promise<HttpReply> {
    const until = ask.startedAt + this.deps.runMs;
    for (let round = 0; Date.now() < until; round += 1) {
      const stored = await this.stored(ask);
      if (stored) return stored;
      if (round % TAKE_OVER_ROUNDS === 0) {
        const later = await this.takeOver(ask);
        if (later !== null) return (await this.stored(ask)) ?? unavailable(ask, 'Stripe gave no certain answer yet.', later);
      }
      await this.deps.signals.wait(ask.object_id, POLL_MS);
    }
    this.deps.keys.key('in_progress');
    return problemReply('idempotency.in_progress', 'The first request with this key is still running.', ask.request_id, {
      retryAfterMs: 1000,
    });
  }

  /** Carries on here if nobody alive does. Answers in how many milliseconds it is worth asking again when nothing can be done now; null while somebody is at it. */
  private async takeOver(ask: Keyed): Promise<number | null> {
    const { db, clock } = this.deps;
    await lookSooner(db, ask.object_id, clock.now());
    const held = await acquire(db, ask.object_id, this.holder(), clock.now());
    if (held) await ask.carryOn(held, ask.startedAt + this.deps.runMs);
    const due = await dueAt(db, ask.object_id);
    if (due === null || due.getTime() <= clock.now().getTime()) return null;
    return Math.min(due.getTime() - clock.now().getTime(), 5000);
  }

  private async stored(ask: Keyed): Promise<HttpReply | null> {
    const known = await findKey(this.deps.db, ask.scope);
    const stored = known ? storedReply(known) : null;
    return stored === 'expired' ? null : stored;
  }

  private holder(): string {
    return `${this.deps.instance}#keyed${(this.runs += 1)}`;
  }
}

const unavailable = (ask: Keyed, detail: string, retryAfterMs: number): HttpReply =>
  problemReply('payments.stripe_unavailable', detail, ask.request_id, { retryAfterMs });
