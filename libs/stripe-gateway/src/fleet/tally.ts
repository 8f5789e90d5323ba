import { type BreakerName } from '../breaker-names.js';

/** Calls of one breaker's version that the database does not know of yet. */
export interface Tallied {
  breaker: BreakerName;
  version: number;
  calls: number;
  failures: number;
}

/** Finished calls on their way to the shared buckets. */
export class Tally {
  private readonly counts = new Map<string, Tallied>();

  add(breaker: BreakerName, version: number, added: { calls: number; failures: number }): void {
    const key = `${breaker} ${version}`;
    const known = this.counts.get(key) ?? { breaker, version, calls: 0, failures: 0 };
    this.counts.set(key, { ...known, calls: known.calls + added.calls, failures: known.failures + added.failures });
  }

  /** What is there, and no longer here: give it back with `add` when it could not be written. */
  take(breaker?: BreakerName): Tallied[] {
    const taken = [...this.counts.entries()].filter(([, one]) => breaker === undefined || one.breaker === breaker);
    for (const [key] of taken) this.counts.delete(key);
    return taken.map(([, one]) => one);
  }
}
