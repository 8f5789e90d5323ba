/** A pause that `now()` ends early; a wake-up while nobody waits ends the next pause. */
export class WakeUp {
  private pending = false;
  private resolve: (() => void) | undefined;

  now(): void {
    this.pending = true;
    this.resolve?.();
  }

  /** Answers whether it was ended by `now()`. */
  async within(ms: number): Promise<boolean> {
    if (!this.pending) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.resolve = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.resolve = undefined;
    const woken = this.pending;
    this.pending = false;
    return woken;
  }
}
