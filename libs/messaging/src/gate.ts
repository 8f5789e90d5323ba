/** Lets many in at once, or one alone. One who wants to be alone keeps newcomers out until it was in. */
export class Gate {
  private inside = 0;
  private alone = false;
  private readonly waiting: { alone: boolean; enter: () => void }[] = [];

  async shared<T>(work: () => Promise<T>): Promise<T> {
    await this.enter(false);
    return this.leaveAfter(work);
  }

  async exclusive<T>(work: () => Promise<T>): Promise<T> {
    await this.enter(true);
    return this.leaveAfter(work);
  }

  private enter(alone: boolean): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push({ alone, enter: resolve });
      this.admit();
    });
  }

  private async leaveAfter<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      this.inside -= 1;
      this.alone = false;
      this.admit();
    }
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
