/**
 * The simulator's time: wall time plus an offset that only grows. It drives `created`, idempotency pruning, expiry and retries;
 * signatures and HTTP dates use wall time.
 */
export class VirtualClock {
  private offsetMs = 0;

  /** Virtual time in milliseconds since the epoch. */
  nowMs(): number {
    return Date.now() + this.offsetMs;
  }

  /** Virtual time in whole seconds, the resolution of every Stripe timestamp. */
  nowSeconds(): number {
    return Math.floor(this.nowMs() / 1000);
  }

  offsetSeconds(): number {
    return this.offsetMs / 1000;
  }

  advance(seconds: number): void {
    this.offsetMs += seconds * 1000;
  }

  setOffsetSeconds(seconds: number): void {
    this.offsetMs = seconds * 1000;
  }
}
