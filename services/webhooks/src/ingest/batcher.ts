import { type InsertFault } from './insert-fault.js';

/** Whether the row is new, or a redelivery of one that is already committed. */
export type Stored = 'accepted' | 'duplicate';

/** The store cannot take rows now; nothing is known to be committed. */
export class StoreUnavailable extends Error {}
/** The store takes rows, but not this one. */
export class RowRefused extends Error {}

export interface BatcherOptions<Row> {
  /** Inserts all rows or none, in one transaction, and answers the keys of those that were new once it is committed. */
  insert(rows: Row[]): Promise<Set<string>>;
  keyOf(row: Row): string;
  faultOf(error: unknown): InsertFault;
  /** Rows per transaction. */
  maxRows?: number;
  /** Rows that may wait; one more is `StoreUnavailable`. */
  maxWaiting?: number;
  /** A row that is not committed by then is `StoreUnavailable`, whatever becomes of it; half a second more or less. */
  deadlineMs?: number;
}

interface Waiting<Row> {
  row: Row;
  key: string;
  since: number;
  done(stored: Stored): void;
  failed(error: Error): void;
}

/** Stripe counts a slow answer as a failure (its limit is not published), so an answer that says "again" comes before that. */
const DEADLINE_MS = 8_000;
const LOOK_EVERY_MS = 500;
/** Many batches: one may hold few rows though many come. */
const LATELY_MS = 100;

/**
 * Group commit: rows that arrive while a transaction is on its way to the disk share the next one. Rows are sorted by key, so that two
 * processes that insert the same redelivered rows wait for each other in the same order and cannot deadlock.
 */
export class Batcher<Row> {
  private waiting: Waiting<Row>[] = [];
  private inserting: Waiting<Row>[] = [];
  private running: Promise<void> | null = null;
  /** Of the last moment: how many rows were sent to the disk together, and when. */
  private sent: { rows: number; at: number }[] = [];

  constructor(private readonly options: BatcherOptions<Row>) {}

  /** Resolves after the commit of the row. Rejects with StoreUnavailable or RowRefused. */
  add(row: Row): Promise<Stored> {
    if (this.waiting.length >= (this.options.maxWaiting ?? 5000))
      return Promise.reject(new StoreUnavailable('too many rows wait for a commit'));
    return new Promise((done, failed) => {
      this.waiting.push({ row, key: this.options.keyOf(row), since: performance.now(), done, failed });
      this.running ??= this.drain();
    });
  }

  /** Rows that wait or were sent to the disk within the last tenth of a second. */
  get lately(): number {
    this.forgetOld();
    return this.sent.reduce((sum, { rows }) => sum + rows, this.waiting.length);
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    while (this.running) await this.running;
  }

  private async drain(): Promise<void> {
    // Rows of requests that are parsed in this same turn of the event loop join the first batch.
    await new Promise(setImmediate);
    // One timer for all rows: one each costs more than the rest of this.
    const looking = setInterval(() => this.giveUpOverdue(), LOOK_EVERY_MS);
    while (this.waiting.length > 0) {
      this.inserting = this.waiting.splice(0, this.options.maxRows ?? 500);
      this.forgetOld();
      this.sent.push({ rows: this.inserting.length, at: performance.now() });
      await this.insertBatch(this.inserting);
    }
    clearInterval(looking);
    this.inserting = [];
    this.running = null;
  }

  private forgetOld(): void {
    const until = performance.now() - LATELY_MS;
    const kept = this.sent.findIndex(({ at }) => at > until);
    if (kept !== 0) this.sent = kept < 0 ? [] : this.sent.slice(kept);
  }

  /** Those who added them are told; the rows themselves may be committed yet. */
  private giveUpOverdue(): void {
    const { deadlineMs = DEADLINE_MS } = this.options;
    const due = performance.now() - deadlineMs;
    const overdue = [...this.inserting, ...this.waiting].filter(({ since }) => since <= due);
    fail(overdue, new Error(`no commit within ${deadlineMs} ms`));
  }

  private async insertBatch(batch: Waiting<Row>[]): Promise<void> {
    batch.sort((a, b) => (a.key < b.key ? -1 : 1));
    try {
      this.answer(batch, await this.options.insert(batch.map((one) => one.row)));
    } catch (error) {
      if (this.options.faultOf(error) === 'store') return fail(batch, error);
      for (const one of batch) await this.insertOne(one);
    }
  }

  private async insertOne(one: Waiting<Row>): Promise<void> {
    try {
      this.answer([one], await this.options.insert([one.row]));
    } catch (error) {
      if (this.options.faultOf(error) === 'row') one.failed(new RowRefused(messageOf(error), { cause: error }));
      else fail([one], error);
    }
  }

  private answer(batch: Waiting<Row>[], fresh: Set<string>): void {
    // The same event may stand twice in one batch: one of them is the new one.
    for (const one of batch) one.done(fresh.delete(one.key) ? 'accepted' : 'duplicate');
  }
}

function fail<Row>(batch: Waiting<Row>[], error: unknown): void {
  for (const one of batch) one.failed(new StoreUnavailable(messageOf(error), { cause: error }));
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
