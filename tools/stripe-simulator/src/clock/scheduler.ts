import { type VirtualClock } from './virtual-clock.js';

/** Something that happens by itself later. Jobs are data, so that they survive a restart. */
export interface Job {
  readonly kind: string;
  readonly id: string;
}

interface Entry {
  readonly dueMs: number;
  readonly order: number;
  readonly job: Job;
}

const LONGEST_TIMER_MS = 60_000;

/** Runs jobs when the virtual clock reaches them, in due order. One timer, a binary heap. */
export class Scheduler {
  private heap: Entry[] = [];
  private order = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly runners = new Map<string, (id: string) => void>();
  private failed: (job: Job, error: unknown) => void = (_job, error) => {
    throw error;
  };

  constructor(private readonly clock: VirtualClock) {}

  /** Hears of a runner that threw; without a listener it ends whoever moved the clock. */
  onFailure(failed: (job: Job, error: unknown) => void): void {
    this.failed = failed;
  }

  /** Says what a kind of job does. A runner that throws is a bug, and the jobs after it run all the same. */
  on(kind: string, run: (id: string) => void): void {
    this.runners.set(kind, run);
  }

  /** `delayMs` is virtual milliseconds from now. */
  schedule(delayMs: number, job: Job): void {
    this.scheduleAt(this.clock.nowMs() + delayMs, job);
  }

  scheduleAt(dueMs: number, job: Job): void {
    this.order += 1;
    this.push({ dueMs, order: this.order, job });
    if (this.heap[0]?.order === this.order) this.arm();
  }

  /** Runs everything that is due; called by the timer and whenever the clock was advanced. Returns how many ran. */
  runDue(): number {
    let ran = 0;
    for (let next = this.heap[0]; next !== undefined && next.dueMs <= this.clock.nowMs(); next = this.heap[0]) {
      this.pop();
      this.run(next.job);
      ran += 1;
    }
    this.arm();
    return ran;
  }

  /** Runs what is due already but whose timer has not fired yet, so that no request sees a past that is over. */
  catchUp(): void {
    const next = this.heap[0];
    if (next !== undefined && next.dueMs <= this.clock.nowMs()) this.runDue();
  }

  /** When the next job is due, in virtual milliseconds. */
  nextDueMs(): number | undefined {
    return this.heap[0]?.dueMs;
  }

  pending(): { dueMs: number; job: Job }[] {
    return this.heap.map(({ dueMs, job }) => ({ dueMs, job }));
  }

  clear(): void {
    this.heap = [];
    clearTimeout(this.timer);
  }

  private run(job: Job): void {
    try {
      this.runners.get(job.kind)?.(job.id);
    } catch (error) {
      this.failed(job, error);
    }
  }

  private arm(): void {
    clearTimeout(this.timer);
    const next = this.heap[0];
    if (next === undefined) return;
    const waitMs = Math.min(Math.max(next.dueMs - this.clock.nowMs(), 0), LONGEST_TIMER_MS);
    this.timer = setTimeout(() => this.runDue(), waitMs);
    this.timer.unref();
  }

  private push(entry: Entry): void {
    const heap = this.heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (before(heap[parent] as Entry, entry)) break;
      heap[at] = heap[parent] as Entry;
      at = parent;
    }
    heap[at] = entry;
  }

  private pop(): void {
    const heap = this.heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Entry, heap[child] as Entry)) child += 1;
      if (before(last, heap[child] as Entry)) break;
      heap[at] = heap[child] as Entry;
      at = child;
    }
    heap[at] = last;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
