/**
 * Objects that a running request works on. Stripe lets a second request on the same object wait for a while and then answers 429
 * `lock_timeout`. Handlers run in one turn, so only requests that a fault makes slow are ever seen holding a lock.
 */
export class ObjectLocks {
  private readonly held = new Map<string, number>();
  private waiting: (() => void)[] = [];

  /** Gives what to call at the end of the request. */
  hold(objects: readonly string[]): () => void {
    for (const object of objects) this.held.set(object, (this.held.get(object) ?? 0) + 1);
    return () => {
      for (const object of objects) this.release(object);
      const woken = this.waiting;
      this.waiting = [];
      for (const wake of woken) wake();
    };
  }

  /** Whether nothing at all is held. */
  isIdle(): boolean {
    return this.held.size === 0;
  }

  areFree(objects: readonly string[]): boolean {
    return !objects.some((object) => this.held.has(object));
  }

  /** Waits at most `withinMs` of wall time; false when the objects are still held then. */
  async whenFree(objects: readonly string[], withinMs: number): Promise<boolean> {
    const endMs = Date.now() + withinMs;
    while (!this.areFree(objects)) {
      const leftMs = endMs - Date.now();
      if (leftMs <= 0) return false;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs).unref();
        this.waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return true;
  }

  private release(object: string): void {
    const count = (this.held.get(object) ?? 0) - 1;
    if (count > 0) this.held.set(object, count);
    else this.held.delete(object);
  }
}
