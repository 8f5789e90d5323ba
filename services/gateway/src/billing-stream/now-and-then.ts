const AGAIN_MS = 30_000;

/** For what would be said over and over while something lasts. */
export class NowAndThen {
  readonly #saidAt = new Map<string, number>();

  /** Says it, unless the same was said within the last 30 s. */
  say(what: string, say: () => void): void {
    const now = performance.now();
    if (now - (this.#saidAt.get(what) ?? -Infinity) < AGAIN_MS) return;
    this.#saidAt.set(what, now);
    say();
  }
}
