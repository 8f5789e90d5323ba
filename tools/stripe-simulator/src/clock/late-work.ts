import { type Scheduler } from './scheduler.js';

const KIND = 'memory.late_work';

/** Work that a fault put off. It follows the virtual clock like everything else, but does not survive a restart. */
export class LateWork {
  private readonly waiting = new Map<string, () => void>();
  private planned = 0;

  constructor(private readonly scheduler: Scheduler) {
    scheduler.on(KIND, (id) => {
      const work = this.waiting.get(id);
      this.waiting.delete(id);
      work?.();
    });
  }

  /** `work` must not throw. */
  plan(delayMs: number, work: () => void): void {
    this.planned += 1;
    const id = String(this.planned);
    this.waiting.set(id, work);
    this.scheduler.schedule(delayMs, { kind: KIND, id });
  }

  clear(): void {
    this.waiting.clear();
  }
}
