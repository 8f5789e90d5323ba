import { describe, expect, it } from '@jest/globals';
import { correctionOf, MOST_TIMES_SENT, type SingleEvents } from './repair.decide.js';

const events = (changes: Partial<SingleEvents> = {}): SingleEvents => ({
  last_value: '7',
  delivered: 3,
  open: false,
  latest_sent: 1,
  ...changes,
});

describe('What follows from a summary', () => {
  it('is what Stripe has, of a sum', () => expect(correctionOf('sum', events(), 12.5)).toEqual({ kind: 'believe' }));

  it.each([
    ['sends what is missing again', {}, 1, { kind: 'again', events: 2 }],
    ['does nothing where both agree', {}, 3, { kind: 'nothing' }],
    ['sends the one without an answer again when the others are all there is', { open: true }, 3, { kind: 'again', events: 0 }],
    ['believes that the one without an answer arrived', { open: true }, 4, { kind: 'arrived' }],
    ['takes nothing back', {}, 4, { kind: 'refused', reason: expect.stringContaining('takes none back') }],
    ['nor does it guess', { open: true }, 5, { kind: 'refused', reason: expect.any(String) }],
  ] as const)('%s, of a meter that counts', (_, changes, summary, expected) =>
    expect(correctionOf('count', events(changes), summary)).toEqual(expected),
  );

  it.each([
    ['sends the latest again', {}, 5, { kind: 'latest_again' }],
    ['does nothing where both agree', { latest_sent: 9 }, 7, { kind: 'nothing' }],
    ['gives up when that changes nothing', { latest_sent: MOST_TIMES_SENT }, 5, { kind: 'refused', reason: expect.any(String) }],
  ] as const)('%s, of a meter that takes the latest', (_, changes, summary, expected) =>
    expect(correctionOf('last', events(changes), summary)).toEqual(expected),
  );
});
