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
}

interface Waiting<Row> {
  row: Row;
  key: string;
  done(stored: Stored): void;
  failed(error: Error): void;
}

/** Longer than a commit and the moment between two of them. */
const JUST_NOW_MS = 50;

/**
 * Group commit: rows that arrive while a transaction is on its way to the disk share the next one. Rows are sorted by key, so that two
 * processes that insert the same redelivered rows wait for each other in the same order and cannot deadlock.
 */
export class Batcher<Row> {
  private waiting: Waiting<Row>[] = [];
  private running: Promise<void> | null = null;
  private last = { rows: 0, at: -Infinity };

  constructor(private readonly options: BatcherOptions<Row>) {}

  /** Resolves after the commit of the row. Rejects with StoreUnavailable or RowRefused. */
  add(row: Row): Promise<Stored> {
    if (this.waiting.length >= (this.options.maxWaiting ?? 5000))
      return Promise.reject(new StoreUnavailable('too many rows wait for a commit'));
    return new Promise((done, failed) => {
      this.waiting.push({ row, key: this.options.keyOf(row), done, failed });
      this.running ??= this.drain();
    });
  }

  /** Rows that wait or were just now sent to the disk. */
  get inHand(): number {
    return this.waiting.length + (performance.now() - this.last.at < JUST_NOW_MS ? this.last.rows : 0);
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    while (this.running) await this.running;
  }

  private async drain(): Promise<void> {
    // Rows of requests that are parsed in this same turn of the event loop join the first batch.
    await new Promise(setImmediate);
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, this.options.maxRows ?? 500);
      this.last = { rows: batch.length, at: performance.now() };
      await this.insertBatch(batch);
    }
    this.running = null;
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
