import { describe, expect, it } from '@jest/globals';
import { matcherOf } from './match.js';
import { parseQuery } from './query.js';

describe('A search query', () => {
  it('is read clause by clause', () => {
    expect(parseQuery(`-status:'succeeded' and metadata["a b"]~"x\\"y" amount>=100`)).toEqual({
      all: true,
      clauses: [
        { field: 'status', operator: ':', value: 'succeeded', negated: true },
        { field: 'metadata', key: 'a b', operator: '~', value: 'x"y', negated: false },
        { field: 'amount', operator: '>=', value: '100', negated: false },
      ],
    });
    expect(parseQuery('customer:null OR amount<5')).toMatchObject({ all: false, clauses: [{ value: null }, { operator: '<' }] });
  });

  it('tells text "null" from nothing', () => {
    const find = (query: string): ((item: object) => boolean) => matcherOf(parseQuery(query), { customer: 'token' }, 'things');
    expect(find('customer:null')({ customer: null })).toBe(true);
    expect(find('customer:"null"')({ customer: null })).toBe(false);
    expect(find('customer:"null"')({ customer: 'null' })).toBe(true);
  });
});
