import { type Failpoints } from '@tidegate/database/failpoints';
import { type Kysely } from 'kysely';
import { type ClaimedLease } from '../idempotency/idempotency.store.js';
import { type PaymentsTables } from '../tables.js';
import { release } from '../work/work.store.js';
import { PaymentMoved } from './payment.store.js';
import { type Along, type DecisionRows, writeDecisions, type Written } from './write-decisions.js';

/** A decision with the name of its step: `<name>.before_commit` and `<name>.after_commit` are its failpoints. */
export type Decision = DecisionRows & Along & { name: string };

/** `lease`: of a claim. `more`: somebody wished for more work while the run that ended here was at it. */
export interface Committed {
  lease: ClaimedLease | null;
  more: boolean;
}

interface Waiting {
  decision: Decision;
  resolve(committed: Committed): void;
  reject(error: unknown): void;
}

const LARGEST = 32;
/** Transactions of this kind at once; the rest of the pool is for everyone else. */
const AT_ONCE = 4;
/** A transaction that waits for a lock holds back what came after it for so long. */
const PATIENCE_MS = 10;
/** One that takes so long waits for a lock that nobody gives back soon: its place goes to another, or a few such payments would hold up all. */
const STUCK_MS = 1000;
/** While decisions come in numbers, a commit waits so long for others to join. */
const GATHER_MS = 2;

/**
 * Commits decisions, each a transaction of its own by nature: one statement. Those that come while a commit is under way share the next one. A decision that
 * no longer stands is left out of it; when the statement fails, each decision gets one of its own, so that none fails for another.
 */
export class DecisionWriter {
  private waiting: Waiting[] = [];
  private running = 0;
  /** The last batch had more than one. */
  private many = false;
  /** While the next beginning is arranged. */
  private cancelNext: (() => void) | undefined;

  constructor(private readonly deps: { db: Kysely<PaymentsTables>; failpoints: Failpoints }) {}

  /** Resolves after the commit. Throws PaymentMoved when the decision does not stand any more; then nothing of it was written. */
  write(decision: Decision): Promise<Committed> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ decision, resolve, reject });
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.waiting.length === 0 || this.running >= AT_ONCE || this.cancelNext) return;
    const begin = () => this.begin();
    // With a pause of 0: after this round of the event loop, so that answers that came together are written together.
    const pause = this.running > 0 ? PATIENCE_MS : this.many ? GATHER_MS : 0;
    this.cancelNext = pause > 0 ? afterPause(begin, pause) : afterThisRound(begin);
  }

  private begin(): void {
    this.forgetNext();
    const batch = this.next();
    if (batch.length === 0) return;
    this.many = batch.length > 1;
    const leave = this.enter();
    const stuck = setTimeout(leave, STUCK_MS);
    void this.commitTogether(batch).finally(() => {
      clearTimeout(stuck);
      leave();
    });
    this.schedule();
  }

  /** Takes a place among the running ones; what it answers gives it back, once. */
  private enter(): () => void {
    this.running += 1;
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      this.running -= 1;
      // With nobody else at it, those that wait need not be patient.
      if (this.running === 0) this.forgetNext();
      this.schedule();
    };
  }

  private forgetNext(): void {
    this.cancelNext?.();
    this.cancelNext = undefined;
  }

  /** At most one decision about a payment goes into a statement. */
  private next(): Waiting[] {
    const payments = new Set<string>();
    const batch: Waiting[] = [];
    const later: Waiting[] = [];
    for (const one of this.waiting) {
      const id = one.decision.row.id;
      const fits = batch.length < LARGEST && !payments.has(id);
      payments.add(id);
      (fits ? batch : later).push(one);
    }
    this.waiting = later;
    return batch;
  }

  private async commitTogether(batch: readonly Waiting[]): Promise<void> {
    try {
      await this.beforeCommit(batch);
      const written = await writeDecisions(
        this.deps.db,
        batch.map(({ decision }) => decision),
      );
      await Promise.all(batch.map((one, i) => this.told(one, written[i] ?? null)));
    } catch (error) {
      if (batch.length === 1) batch[0]!.reject(error);
      else await Promise.all(batch.map((one) => this.commitTogether([one])));
    }
  }

  private async beforeCommit(batch: readonly Waiting[]): Promise<void> {
    for (const { decision } of batch) await this.deps.failpoints.hit(`${decision.name}.before_commit`);
  }

  /** After the commit; throws nothing. */
  private async told({ decision, resolve, reject }: Waiting, written: Written | null): Promise<void> {
    try {
      if (!written) throw new PaymentMoved(decision.row.id);
      const { ended } = decision;
      const more = ended && !written.gone ? (await release(this.deps.db, ended, null)).more : false;
      await this.deps.failpoints.hit(`${decision.name}.after_commit`);
      resolve({ lease: written.lease, more });
    } catch (error) {
      reject(error);
    }
  }
}

function afterPause(begin: () => void, ms: number): () => void {
  const timer = setTimeout(begin, ms);
  return () => clearTimeout(timer);
}

function afterThisRound(begin: () => void): () => void {
  const immediate = setImmediate(begin);
  return () => clearImmediate(immediate);
}
