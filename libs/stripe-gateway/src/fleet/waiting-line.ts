import { type Kind, type Leased } from './limiter.store.js';

export interface LineOptions {
  lease(kind: Kind, want: number, ahead: number): Promise<Leased>;
  /** Most calls of this process that are under way at once. */
  maxInFlight: number;
  /** Longest wait for a turn. */
  waitMs: number;
  onError(error: unknown): void;
}

/** Leave to make one call; `done` when it ended. */
export type Turn = { granted: true; done(): void } | { granted: false };

interface Waiter {
  kind: Kind;
  answer(turn: Turn): void;
  timer: NodeJS.Timeout;
}

/** Tokens leased at once; what nobody took by then is lost, or a quiet moment would become a burst. Milliseconds of this process's clock. */
interface Block {
  left: number;
  until: number;
}

/**
 * How long tokens in hand may wait for a call. With it, and a bucket that holds a tenth of a second's worth, no window of one second sees more calls start than
 * the rate and a quarter of it.
 */
const BLOCK_MS = 100;
/** A lease that took longer than this to arrive is lost: too much may have been leased since. */
const LATE_MS = 1000;
/** Processes that wait for the same token ask up to this much apart, or the one closest to the database would get every one. */
const APART_MS = 25;
const AFTER_ERROR_MS = 250;
const KINDS = ['write', 'read'] as const;

/** Where calls of one process wait for a token and a free place; writes first, yet never all places. */
export class WaitingLine {
  private readonly waiting: Record<Kind, Waiter[]> = { write: [], read: [] };
  private readonly blocks: Record<Kind, Block[]> = { write: [], read: [] };
  private readonly inFlight: Record<Kind, number> = { write: 0, read: 0 };
  private readonly leasing: Record<Kind, boolean> = { write: false, read: false };
  /** Tokens taken in the present tenth of a second and the one before. */
  private readonly used: Record<Kind, { since: number; now: number; before: number }> = {
    write: { since: 0, now: 0, before: 0 },
    read: { since: 0, now: 0, before: 0 },
  };
  private readonly timers = new Set<NodeJS.Timeout>();
  private narrowUntil = 0;
  private stopped = false;

  constructor(private readonly options: LineOptions) {}

  /** Resolves at once when a token is in hand and a place is free. */
  turn(kind: Kind): Promise<Turn> {
    if (this.stopped) return Promise.resolve({ granted: false });
    const first = this.waiting[kind].length === 0 && (kind === 'write' || this.waiting.write.length === 0);
    if (first && this.hasPlace(kind) && this.takeToken(kind)) return Promise.resolve(this.begin(kind));
    return new Promise((answer) => {
      const waiter: Waiter = { kind, answer, timer: setTimeout(() => this.giveUp(waiter), this.options.waitMs) };
      this.waiting[kind].push(waiter);
      this.pump();
    });
  }

  counts(): { waiting: Record<Kind, number>; inFlight: Record<Kind, number> } {
    return { waiting: { write: this.waiting.write.length, read: this.waiting.read.length }, inFlight: { ...this.inFlight } };
  }

  /** A 429: what is in hand is gone, too. */
  drain(): void {
    this.blocks.write = [];
    this.blocks.read = [];
  }

  /** Stripe handles too many calls at once: for a while half as many places. */
  narrow(forMs: number): void {
    this.narrowUntil = performance.now() + forMs;
  }

  /** Turns everybody away. */
  stop(): void {
    this.stopped = true;
    for (const timer of this.timers) clearTimeout(timer);
    for (const kind of KINDS) for (const waiter of [...this.waiting[kind]]) this.giveUp(waiter);
  }

  private begin(kind: Kind): Turn {
    this.inFlight[kind] += 1;
    let ended = false;
    return {
      granted: true,
      done: () => {
        if (ended) return;
        ended = true;
        this.inFlight[kind] -= 1;
        this.pump();
      },
    };
  }

  /** Serves who can be served, and sends for tokens for the others. */
  private pump(): void {
    if (this.stopped) return;
    for (const kind of KINDS) {
      const line = this.waiting[kind];
      while (line.length > 0 && this.hasPlace(kind) && this.takeToken(kind)) {
        const waiter = line.shift()!;
        clearTimeout(waiter.timer);
        waiter.answer(this.begin(kind));
      }
      if (line.length > 0 && this.hasPlace(kind)) this.send(kind);
    }
  }

  private giveUp(waiter: Waiter): void {
    clearTimeout(waiter.timer);
    const line = this.waiting[waiter.kind];
    line.splice(line.indexOf(waiter), 1);
    waiter.answer({ granted: false });
  }

  /** Neither kind may take all places: calls that hang would keep the other out. */
  private hasPlace(kind: Kind): boolean {
    const all = this.places();
    const own = kind === 'write' ? Math.max(1, all - 1) : Math.ceil(all / 2);
    return this.inFlight[kind] < own && this.inFlight.write + this.inFlight.read < Math.max(2, all);
  }

  private places(): number {
    const { maxInFlight } = this.options;
    return performance.now() < this.narrowUntil ? Math.ceil(maxInFlight / 2) : maxInFlight;
  }

  private takeToken(kind: Kind): boolean {
    const now = performance.now();
    const blocks = this.blocks[kind];
    while (blocks[0] && (blocks[0].left === 0 || blocks[0].until <= now)) blocks.shift();
    const [block] = blocks;
    if (!block) return false;
    block.left -= 1;
    const recent = this.noteUse(kind, now);
    const left = blocks.reduce((sum, one) => sum + one.left, 0);
    if (left > 0 && left < recent / 2) this.send(kind);
    return true;
  }

  private noteUse(kind: Kind, now: number): number {
    const used = this.used[kind];
    const slots = Math.floor((now - used.since) / BLOCK_MS);
    if (slots > 0) {
      used.before = slots === 1 ? used.now : 0;
      used.now = 0;
      used.since = now;
    }
    used.now += 1;
    return Math.max(used.now, used.before);
  }

  /** One lease at a time per kind. */
  private send(kind: Kind): void {
    if (this.leasing[kind] || this.stopped) return;
    this.leasing[kind] = true;
    void this.lease(kind).then((pauseMs) => {
      const resume = () => {
        this.leasing[kind] = false;
        this.pump();
      };
      if (pauseMs === 0) return resume();
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        resume();
      }, pauseMs);
      this.timers.add(timer);
    });
  }

  /** Answers how long to wait before the next one. */
  private async lease(kind: Kind): Promise<number> {
    const sentAt = performance.now();
    const waiting = this.waiting[kind].length;
    const want = Math.max(1, Math.min(waiting, this.places()));
    const recent = Math.max(this.used[kind].now, this.used[kind].before);
    try {
      const { granted, waitMs } = await this.options.lease(kind, want, recent);
      const now = performance.now();
      if (granted > 0 && now - sentAt < LATE_MS) this.blocks[kind].push({ left: granted, until: Math.max(sentAt + BLOCK_MS, now + 1) });
      this.pump();
      return granted < want ? Math.max(1, waitMs) + Math.random() * Math.min(waitMs, APART_MS) : 0;
    } catch (error) {
      this.options.onError(error);
      return AFTER_ERROR_MS;
    }
  }
}
