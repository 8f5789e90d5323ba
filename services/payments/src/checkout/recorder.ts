import { type Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import { type Kysely } from 'kysely';
import { answer } from '../idempotency/idempotency.store.js';
import { metadataOf } from '../payment/recorder.js';
import { type PaymentsTables } from '../tables.js';
import { type Signals } from '../work/signals.js';
import { answersOf } from './checkout.reply.js';
import { type CheckoutEvent } from './checkout.events.js';
import { type CheckoutMetrics } from './checkout.metrics.js';
import { type Checkout } from './checkout.state.js';
import { CheckoutMoved, commit, load, type Loaded } from './checkout.store.js';
import { checkoutOf, type Run } from './run.js';

export interface RecorderDeps {
  db: Kysely<PaymentsTables>;
  failpoints: Failpoints;
  clock: { now(): Date };
  signals: Signals;
  checkoutMetrics: CheckoutMetrics;
  /** New outbox rows are committed. */
  onCommitted(): void;
  /** Something has work that is due. */
  onWork(): void;
}

/** Events decided from a checkout; null when nothing is to be recorded after all. */
export type Decider = (checkout: Checkout) => CheckoutEvent[] | null;

export class Recorder {
  constructor(private readonly deps: RecorderDeps) {}

  /**
   * Appends what `decide` makes of the checkout and stores the answers that became certain, in one transaction. When somebody else moved the checkout
   * meanwhile, decides again from the new state; `decide` answers null to give up instead. Answers whether it did not give up.
   */
  async record(run: Run, name: string, decide: Decider): Promise<boolean> {
    for (;;) {
      const events = decide(checkoutOf(run));
      if (events === null) return false;
      if (events.length === 0) return true;
      try {
        await this.write(run, name, events);
        return true;
      } catch (error) {
        if (!(error instanceof CheckoutMoved)) throw error;
        run.loaded = await load(this.deps.db, run.held.payment_id);
      }
    }
  }

  private async write(run: Run, name: string, events: CheckoutEvent[]): Promise<void> {
    const now = this.deps.clock.now();
    const before = run.loaded;
    const after = await inTransaction(this.deps, name, async (tx) => {
      const written = await commit(tx, { checkoutId: run.held.payment_id, before, events, now, metadata: metadataOf(run.cause) });
      await answer(tx, await answersOf(tx, written.state, events), now);
      return written;
    });
    run.loaded = after;
    this.announce(before, after.state, events);
  }

  /** After the commit. */
  announce(before: Loaded, after: Checkout, events: readonly CheckoutEvent[]): void {
    this.deps.onCommitted();
    this.deps.checkoutMetrics.changed(before.state, after, events);
    this.deps.signals.wake(after.terms.checkout_id);
  }
}
