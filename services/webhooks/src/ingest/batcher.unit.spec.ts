import { describe, expect, it } from '@jest/globals';
import { eventually } from '@tidegate/test-harness/eventually';
import { Batcher, RowRefused, StoreUnavailable } from './batcher.js';
import { insertFault } from './insert-fault.js';

interface Row {
  id: string;
  bad?: boolean;
}

/** A store that keeps keys, can be held in the middle of a commit, and fails as Postgres does. */
class KeyStore {
  readonly kept = new Set<string>();
  readonly batches: string[][] = [];
  private gate: Promise<void> = Promise.resolve();
  private open: () => void = () => undefined;
  failure: Error | null = null;

  hold() {
    this.gate = new Promise((resolve) => (this.open = resolve));
  }

  release() {
    this.open();
  }

  insert = async (rows: Row[]): Promise<Set<string>> => {
    this.batches.push(rows.map((row) => row.id));
    await this.gate;
    if (this.failure) throw this.failure;
    if (rows.some((row) => row.bad)) throw Object.assign(new Error('invalid byte sequence'), { code: '22021' });
    const fresh = new Set(rows.map((row) => row.id).filter((id) => !this.kept.has(id)));
    for (const id of fresh) this.kept.add(id);
    return fresh;
  };
}

const batcherOn = (store: KeyStore, options: { maxRows?: number; maxWaiting?: number; deadlineMs?: number } = {}) =>
  new Batcher<Row>({ insert: store.insert, keyOf: (row) => row.id, faultOf: insertFault, ...options });

describe('The batcher', () => {
  it('commits rows that arrive during a commit together, sorted by key', async () => {
    const store = new KeyStore();
    store.hold();
    const batcher = batcherOn(store);
    const first = batcher.add({ id: 'm' });
    await new Promise(setImmediate);
    const rest = ['z', 'a', 'k'].map((id) => batcher.add({ id }));
    store.release();

    expect(await Promise.all([first, ...rest])).toEqual(['accepted', 'accepted', 'accepted', 'accepted']);
    expect(store.batches).toEqual([['m'], ['a', 'k', 'z']]);
  });

  it('tells one of two equal rows of a batch that it is the duplicate', async () => {
    const batcher = batcherOn(new KeyStore());
    expect((await Promise.all([batcher.add({ id: 'a' }), batcher.add({ id: 'a' })])).sort()).toEqual(['accepted', 'duplicate']);
    expect(await batcher.add({ id: 'a' })).toBe('duplicate');
  });

  it('gives up on a row that is not committed in time, and on no other, and goes on', async () => {
    const store = new KeyStore();
    store.hold();
    const batcher = batcherOn(store, { deadlineMs: 300 });
    const [inserting, waiting] = [batcher.add({ id: 'a' }), (await new Promise(setImmediate), batcher.add({ id: 'b' }))];
    await expect(inserting).rejects.toThrow(StoreUnavailable);
    await expect(waiting).rejects.toThrow('no commit within 300 ms');

    store.release();
    expect(await batcher.add({ id: 'c' })).toBe('accepted');
    expect([...store.kept]).toEqual(['a', 'b', 'c']);
  });

  it('lets one bad row fail alone', async () => {
    const store = new KeyStore();
    const batcher = batcherOn(store);
    const results = await Promise.allSettled([batcher.add({ id: 'a' }), batcher.add({ id: 'b', bad: true }), batcher.add({ id: 'c' })]);

    expect(results.map((one) => one.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((results[1] as PromiseRejectedResult).reason).toBeInstanceOf(RowRefused);
    expect([...store.kept].sort()).toEqual(['a', 'c']);
  });

  it('does not try row by row when the database is away', async () => {
    const store = new KeyStore();
    store.failure = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const batcher = batcherOn(store);
    const results = await Promise.allSettled([batcher.add({ id: 'a' }), batcher.add({ id: 'b' })]);

    for (const one of results) expect((one as PromiseRejectedResult).reason).toBeInstanceOf(StoreUnavailable);
    expect(store.batches).toHaveLength(1);
  });

  it('works again after a failure', async () => {
    const store = new KeyStore();
    store.failure = new Error('Connection terminated unexpectedly');
    const batcher = batcherOn(store);
    await expect(batcher.add({ id: 'a' })).rejects.toBeInstanceOf(StoreUnavailable);
    store.failure = null;
    expect(await batcher.add({ id: 'a' })).toBe('accepted');
  });

  it('keeps a batch to its size', async () => {
    const store = new KeyStore();
    const batcher = batcherOn(store, { maxRows: 2 });
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map((id) => batcher.add({ id })));
    expect(store.batches.map((batch) => batch.length)).toEqual([2, 2, 1]);
  });

  it('says how many rows came lately: those that wait, and those that were sent to the disk a moment ago, in whatever batches', async () => {
    const store = new KeyStore();
    store.hold();
    const batcher = batcherOn(store, { maxRows: 2 });
    expect(batcher.lately).toBe(0);
    const rows = ['a', 'b', 'c', 'd', 'e'].map((id) => batcher.add({ id }));
    await new Promise(setImmediate);
    expect(batcher.lately).toBe(5);
    store.release();
    await Promise.all(rows);
    await eventually(() => expect(batcher.lately).toBe(0), { everyMs: 10 });
  });

  it('refuses rows when too many wait', async () => {
    const store = new KeyStore();
    store.hold();
    const batcher = batcherOn(store, { maxWaiting: 2 });
    const waiting = ['a', 'b'].map((id) => batcher.add({ id }));
    await expect(batcher.add({ id: 'c' })).rejects.toBeInstanceOf(StoreUnavailable);
    store.release();
    expect(await Promise.all(waiting)).toEqual(['accepted', 'accepted']);
    await batcher.idle();
  });
});

describe('The fault of a failed insert', () => {
  it.each([
    ['22P05', 'row'],
    ['23514', 'row'],
    ['57P01', 'store'],
    ['57P03', 'store'],
    ['53300', 'store'],
    ['08006', 'store'],
    ['40P01', 'other'],
    ['ECONNRESET', 'store'],
    ['ETIMEDOUT', 'store'],
    ['EPIPE', 'store'],
  ])('with code %s is %s', (code, fault) => {
    expect(insertFault(Object.assign(new Error('x'), { code }))).toBe(fault);
  });

  it('is the store when node-postgres lost its connection', () => {
    expect(insertFault(new Error('Connection terminated unexpectedly'))).toBe('store');
    expect(insertFault(new Error('timeout exceeded when trying to connect'))).toBe('store');
  });

  it('is the transaction only, for all we know, when it is an error without a name', () => {
    expect(insertFault(new Error('failpoint'))).toBe('other');
  });
});
