import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Collection, type ListQuery } from './collection.js';

interface Item {
  readonly id: string;
  readonly created: number;
  readonly owner: string | null;
}

function given(...items: Item[]): Collection<Item> {
  const collection = new Collection<Item>(({ created }) => created, ['owner']);
  for (const item of items) collection.insert(item);
  return collection;
}

const item = (n: number, owner: string | null = null): Item => ({ id: `i${n}`, created: Math.floor(n / 2), owner });
const ids = (collection: Collection<Item>, query: Partial<ListQuery<Item>>): string[] | undefined =>
  collection.page({ limit: 100, ...query })?.data.map(({ id }) => id);

describe('When a collection is listed', () => {
  const seven = given(...[0, 1, 2, 3, 4, 5, 6].map((n) => item(n, n % 3 === 0 ? 'a' : 'b')));

  it('is newest first and says whether there is more', () => {
    expect(seven.page({ limit: 2 })).toEqual({ data: [item(6, 'a'), item(5, 'b')], hasMore: true });
    expect(seven.page({ limit: 7 })?.hasMore).toBe(false);
  });

  it('moves with cursors in both directions', () => {
    expect(ids(seven, { startingAfter: 'i4', limit: 2 })).toEqual(['i3', 'i2']);
    expect(ids(seven, { endingBefore: 'i4' })).toEqual(['i6', 'i5']);
    expect(ids(seven, { endingBefore: 'i1', limit: 2 })).toEqual(['i3', 'i2']);
    expect(seven.page({ limit: 2, startingAfter: 'nothing' })).toBeUndefined();
  });

  it('filters by range, index and predicate together', () => {
    expect(ids(seven, { created: { gte: 1, lt: 3 } })).toEqual(['i5', 'i4', 'i3', 'i2']);
    expect(ids(seven, { created: { gt: 1, lte: 2 } })).toEqual(['i5', 'i4']);
    expect(ids(seven, { equals: { owner: 'a' } })).toEqual(['i6', 'i3', 'i0']);
    expect(ids(seven, { equals: { owner: 'a' }, startingAfter: 'i6', created: { gte: 1 } })).toEqual(['i3']);
    expect(ids(seven, { matches: ({ created }) => created === 3 })).toEqual(['i6']);
    expect(ids(seven, { equals: { owner: 'nobody' } })).toEqual([]);
  });

  it('hides what was inserted later than asked', () => {
    expect(ids(given(item(1)), { insertedBeforeMs: 0 })).toEqual([]);
  });
});

describe('When there are a hundred thousand', () => {
  const many = given();
  for (let n = 0; n < 100_000; n += 1) many.insert(item(n, `owner${n % 1000}`));

  it.each<[string, Partial<ListQuery<Item>>]>([
    ['a range of time', { created: { gte: 20_000, lt: 30_000 } }],
    ['a cursor', { startingAfter: 'i50000' }],
    ['a cursor backwards', { endingBefore: 'i50000' }],
    ['an indexed field', { equals: { owner: 'owner7' } }],
    ['all three', { equals: { owner: 'owner7' }, startingAfter: 'i50007', created: { gte: 100 } }],
  ])('looks only at the page and one more for %s', (_, query) => {
    let looked = 0;
    const page = many.page({ limit: 10, ...query, matches: () => (looked += 1) > 0 });
    expect([page?.data.length, page?.hasMore, looked]).toEqual([10, true, 11]);
  });
});

describe('When objects change', () => {
  it('keeps the place, moves in the index and leaves the old version alone', () => {
    const collection = given(item(0, 'a'), item(1, 'a'));
    const before = collection.get('i0');
    collection.replace({ ...item(0), owner: 'b' });
    expect(before).toEqual(item(0, 'a'));
    expect(ids(collection, {})).toEqual(['i1', 'i0']);
    expect(ids(collection, { equals: { owner: 'a' } })).toEqual(['i1']);
    expect(collection.by('owner', 'b')).toEqual([item(0, 'b')]);
  });

  it('forgets what was removed', () => {
    const collection = given(item(0), item(1));
    collection.remove('i0');
    expect([collection.size, collection.get('i0'), ids(collection, {})]).toEqual([1, undefined, ['i1']]);
    expect(() => collection.replace(item(0))).toThrow('Bug: i0 is not stored');
  });

  it('lists what a plain filter would', () => {
    const owners = fc.constantFrom('a', 'b', null);
    fc.assert(
      fc.property(
        fc.array(owners, { maxLength: 30 }),
        fc.array(fc.tuple(fc.nat(29), owners)),
        owners,
        fc.nat(15),
        (start, changes, owner, since) => {
          const collection = given(...start.map((one, n) => item(n, one)));
          for (const [n, next] of changes) if (n < start.length) collection.replace(item(n, next));
          const wanted = collection
            .all()
            .filter((one) => one.created >= since && (owner === null || one.owner === owner))
            .map(({ id }) => id)
            .reverse();
          expect(ids(collection, { created: { gte: since }, ...(owner !== null && { equals: { owner } }) })).toEqual(wanted);
        },
      ),
    );
  });
});
