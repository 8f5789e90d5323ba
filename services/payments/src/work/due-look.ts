import { type Kysely } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { type DueKind, nextDue } from './next-due.js';

/** How long it counts that nothing is due; who is gone without a word is found within this after the end of its lease. */
const LOOK_MS = 1_000;
/** What had something to do a moment ago is looked after without asking first: more may come at any time. */
const BUSY_MS = 2_000;

/**
 * Whether loops have anything to take in hand, told by one look at all kinds of work each second. Loops ask it before they lease, so that a service without work
 * does not ask for each kind four times a second. A signal says that there may be work, whatever was seen before.
 */
export class DueLook {
  private next: ReadonlyMap<DueKind, Date> = new Map();
  private lookedAt = -Infinity;
  private looking: Promise<void> | null = null;
  private readonly busyUntil = new Map<DueKind, number>();

  constructor(
    private readonly deps: {
      db: Kysely<PaymentsTables>;
      clock: { now(): Date };
      /** These kinds have something due now. */
      found(kinds: readonly DueKind[]): void;
      /** Milliseconds of a clock that only goes forward; that of the process by default. */
      monotonic?: () => number;
    },
  ) {}

  /** Some of these kinds may be due now. */
  signal(...kinds: DueKind[]): void {
    for (const kind of kinds) this.busyUntil.set(kind, this.now() + BUSY_MS);
    this.lookedAt = -Infinity;
  }

  /** Runs a pass over these kinds if any of them may be due; answers how many it began. */
  async pass(kinds: readonly DueKind[], runOnce: () => Promise<number>): Promise<number> {
    if (!(await this.isDue(kinds))) return 0;
    const begun = await runOnce();
    if (begun > 0) for (const kind of kinds) this.busyUntil.set(kind, this.now() + BUSY_MS);
    return begun;
  }

  private async isDue(kinds: readonly DueKind[]): Promise<boolean> {
    if (kinds.some((kind) => (this.busyUntil.get(kind) ?? -Infinity) > this.now())) return true;
    if (this.now() - this.lookedAt >= LOOK_MS) await (this.looking ??= this.look().finally(() => (this.looking = null)));
    return this.isNext(kinds);
  }

  private isNext(kinds: readonly DueKind[]): boolean {
    const at = this.deps.clock.now().getTime();
    return kinds.some((kind) => (this.next.get(kind)?.getTime() ?? Infinity) <= at);
  }

  private async look(): Promise<void> {
    const askedAt = this.now();
    // Whoever signals while we ask is heard: the next pass asks again.
    this.lookedAt = askedAt;
    try {
      this.next = await nextDue(this.deps.db, this.deps.clock.now(), LOOK_MS);
      this.deps.found([...this.next.keys()].filter((kind) => this.isNext([kind])));
    } catch (error) {
      this.lookedAt = -Infinity;
      throw error;
    }
  }

  private now(): number {
    return (this.deps.monotonic ?? (() => performance.now()))();
  }
}
