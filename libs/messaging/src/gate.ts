/** Lets many in at once, or one alone. Who waits to be alone keeps newcomers out until it was in. */
export class Gate {
  private inside = 0;
  private alone = false;
  private readonly waiting: { alone: boolean; enter: () => void }[] = [];

  /** Whether somebody waits to be alone: those inside should hurry. */
  get wanted(): boolean {
    return this.waiting.some((one) => one.alone);
  }

  /** Whether somebody may come in now, without waiting. */
  get open(): boolean {
    return !this.alone && !this.wanted;
  }

  /** Enters beside others. Every entry and every `join` is to be left once. */
  enter(): Promise<void> {
    return this.queue(false);
  }

  /** One more by the side of somebody who is inside. */
  join(): void {
    this.inside += 1;
  }

  leave(): void {
    this.inside -= 1;
    this.admit();
  }

  async exclusive<T>(work: () => Promise<T>): Promise<T> {
    await this.queue(true);
    try {
      return await work();
    } finally {
      this.alone = false;
      this.leave();
    }
  }

  private queue(alone: boolean): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push({ alone, enter: resolve });
      this.admit();
    });
  }

  private admit(): void {
    for (let next = this.waiting[0]; next; next = this.waiting[0]) {
      if (this.alone || (next.alone && this.inside > 0)) return;
      this.waiting.shift();
      this.inside += 1;
      this.alone = next.alone;
      next.enter();
    }
  }
}
