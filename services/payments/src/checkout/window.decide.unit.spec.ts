import { describe, expect, it } from '@jest/globals';
import { expiresAtFor, isOver, isSendable } from './window.decide.js';

const NOW = new Date('2026-11-21T06:00:00.000Z');
const at = (minutes: number): string => new Date(NOW.getTime() + minutes * 60_000).toISOString();
const minutes = (expiresAt: number): number => (expiresAt - NOW.getTime() / 1000) / 60;

describe('The end that Stripe is told', () => {
  it.each([
    ['the end of the window', 23 * 60, 23 * 60],
    ['no sooner than Stripe takes, with room to repeat the call', 30, 45],
    ['no later than Stripe takes', 24 * 60, 24 * 60 - 2],
  ])('is %s', (_, window, told) => {
    expect(minutes(expiresAtFor(at(window), NOW))).toBe(told);
  });

  it('can be sent until half an hour before it', () => {
    const expiresAt = expiresAtFor(at(30), NOW);
    expect(isSendable(expiresAt, NOW)).toBe(true);
    expect(isSendable(expiresAt, new Date(at(14)))).toBe(true);
    expect(isSendable(expiresAt, new Date(at(15)))).toBe(false);
  });
});

describe('A window', () => {
  it('is over at its end', () => {
    expect([isOver(at(0), NOW), isOver(at(1), NOW)]).toEqual([true, false]);
  });
});
