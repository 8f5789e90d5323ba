/** Runs work one at a time. A request while it runs has it run once more; requests before that run share it. After a failure nothing runs any more. */
export class OneAtATime {
  private wanted = false;
  private busy = false;
  private failure: { error: unknown } | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly work: () => Promise<void>) {}

  request(): void {
    this.wanted = true;
    if (this.busy || this.failure) return;
    this.busy = true;
    this.running = this.untilDone();
  }

  /** Resolves when nothing runs; throws what the work threw. */
  async idle(): Promise<void> {
    await this.running;
    if (this.failure) throw this.failure.error;
  }

  /** The last look at `wanted` and the end of `busy` are one step: a request falls before or after both. */
  private async untilDone(): Promise<void> {
    try {
      while (this.wanted) {
        this.wanted = false;
        await this.work();
      }
    } catch (error) {
      this.failure = { error };
    }
    this.busy = false;
  }
}
