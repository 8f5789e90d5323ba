const BEAT_MS = 50;
/** A beat may be late by this much on a machine that has work for others. */
const LATE_MS = 50;

/** Notices when this process was held up, by a machine that has much to do or by long work of its own: what it reads then may have come long before. */
export class Pulse {
  private beats: [before: number, last: number];
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly now: () => number = Date.now) {
    this.beats = [now(), now()];
    this.timer = setInterval(() => (this.beats = [this.beats[1], now()]), BEAT_MS).unref();
  }

  /** Epoch milliseconds from which on a request that is read now may have come; undefined when it came now. */
  get heldSince(): number | undefined {
    const [before, last] = this.beats;
    // Timers run before sockets are read, so after a pause the last beat is as late as the request.
    const since = this.now() - last > BEAT_MS + LATE_MS ? last : before;
    return this.now() - since > 2 * BEAT_MS + LATE_MS ? since : undefined;
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
