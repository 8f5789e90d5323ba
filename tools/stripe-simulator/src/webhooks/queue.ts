type Task = () => Promise<void>;

/** Runs tasks in order, at most `parallel` at a time, never inside the caller's turn. */
export class Queue {
  private waiting: Task[] = [];
  private running = 0;
  private woken = false;
  private held: Task[] = [];
  private window: NodeJS.Timeout | undefined;

  /** `failed` hears of a task that rejects; the others go on. */
  constructor(
    private readonly parallel: number,
    private readonly failed: (error: unknown) => void,
  ) {}

  push(task: Task): void {
    this.waiting.push(task);
    this.wake();
  }

  /** Collects tasks for `windowMs` of wall time, then runs them one after the other in the arranged order. */
  hold(task: Task, windowMs: number, arrange: (tasks: readonly Task[]) => Task[]): void {
    this.held.push(task);
    this.window ??= setTimeout(() => {
      const collected = this.held;
      this.held = [];
      this.window = undefined;
      const arranged = arrange(collected);
      const moved = arranged.some((one, place) => one !== collected[place]);
      const order = moved ? arranged : [...collected.slice(1), ...collected.slice(0, 1)];
      this.push(async () => {
        for (const one of order) await one();
      });
    }, windowMs);
  }

  clear(): void {
    this.waiting = [];
    this.held = [];
    clearTimeout(this.window);
    this.window = undefined;
  }

  private wake(): void {
    if (this.woken) return;
    this.woken = true;
    setImmediate(() => {
      this.woken = false;
      this.fill();
    });
  }

  private fill(): void {
    while (this.running < this.parallel && this.waiting.length > 0) {
      const batch = this.waiting.splice(0, this.parallel - this.running);
      for (const task of batch) {
        this.running += 1;
        void task()
          .catch(this.failed)
          .finally(() => {
            this.running -= 1;
            if (this.waiting.length > 0) this.wake();
          });
      }
    }
  }
}
