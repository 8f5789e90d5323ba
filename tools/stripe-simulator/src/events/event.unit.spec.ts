import { describe, expect, it } from '@jest/globals';
import { covers, previousAttributes } from './event.js';

describe('Previous attributes', () => {
  it.each([
    [{ a: 1, b: 2 }, { a: 1, b: 3 }, { b: 2 }],
    [{ m: { x: '1', y: '2' } }, { m: { x: '1', y: '3', z: '4' } }, { m: { y: '2', z: null } }],
    [{ a: null }, { a: { x: 1 } }, { a: null }],
    [{ a: [1] }, { a: [1] }, {}],
    [{ a: [1] }, { a: [2] }, { a: [1] }],
    [{}, { a: 1 }, { a: null }],
  ])('of %j becoming %j are %j', (before, after, previous) => {
    expect(previousAttributes(before, after)).toEqual(previous);
  });
});

describe('A pattern of event types', () => {
  it.each([
    ['*', 'charge.updated', true],
    ['charge.*', 'charge.refund.updated', true],
    ['charge.*', 'payment_intent.created', false],
    ['*.updated', 'charge.updated', true],
    ['charge.updated', 'charge.updated', true],
    ['charge', 'charge.updated', false],
  ])('%s covers %s: %s', (pattern, type, does) => {
    expect(covers(pattern, type)).toBe(does);
  });
});
