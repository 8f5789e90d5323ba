/** A backlog whose oldest stays the same for so long is stuck: what differs because of it is named, or nobody would hear of it. */
const STUCK_AFTER_MS = 120_000;
/** While it gets on it is waited for, up to this age: whoever is that far behind has to be told what differs by then. */
const LONGEST_MS = 900_000;
/** By less an age is off that was asked for over the network. */
const STEP_MS = 1000;

/** What payments has heard of and not handled yet, by the age of its oldest at one look after the other. */
export class Backlog {
  private oldestAt = -Infinity;
  private gotOnAt = -Infinity;
  private allowedMs = 0;

  /** For how long news may have been on its way through it, in milliseconds. `ageMs`: how long the oldest had waited at `at`; 0 when none does. */
  allows(at: Date, ageMs: number): number {
    const oldestAt = at.getTime() - ageMs;
    if (oldestAt > this.oldestAt + STEP_MS) {
      this.oldestAt = oldestAt;
      this.gotOnAt = at.getTime();
    }
    const isStuck = at.getTime() - this.gotOnAt >= STUCK_AFTER_MS;
    this.allowedMs = Math.min(ageMs, isStuck ? STUCK_AFTER_MS : LONGEST_MS);
    return this.allowedMs;
  }

  /** Whether more is waited for, at the last look, than a backlog that is stuck may take. */
  get isLong(): boolean {
    return this.allowedMs > STUCK_AFTER_MS;
  }
}
