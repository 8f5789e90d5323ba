/** Wakes those in this process who wait for something with a name; a hint only, so every waiter also polls. */
export class Signals {
  private readonly waiters = new Map<string, Set<() => void>>();

  wake(name: string): void {
    const waiting = this.waiters.get(name);
    this.waiters.delete(name);
    for (const resume of waiting ?? []) resume();
  }

  /** Resolves when woken, after `ms` at the latest. */
  wait(name: string, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.waiters.get(name) ?? new Set();
      this.waiters.set(name, waiting);
      const resume = () => {
        clearTimeout(timer);
        waiting.delete(resume);
        if (waiting.size === 0 && this.waiters.get(name) === waiting) this.waiters.delete(name);
        resolve();
      };
      const timer = setTimeout(resume, ms);
      waiting.add(resume);
    });
  }
}
