import { describe, expect, it } from '@jest/globals';
import { accepted, authorized, CREATE, given, missing, opened, succeeded } from '../../test/given.js';
import { decideDeadLetter } from './dead-letter.decide.js';

describe('Taking a payment out of the queue', () => {
  it('cancels one that was never sent', () => {
    expect(decideDeadLetter(given(...accepted({}, true)))).toEqual({
      kind: 'canceled',
      events: [
        { type: 'PaymentCanceled', data: { reason: 'dead_lettered' } },
        { type: 'CommandCompleted', data: { command_id: CREATE, rejection: null } },
      ],
    });
  });

  it.each([
    ['whose first call was committed to', accepted()],
    ['whose queue it has left', [...accepted({}, true), ...accepted().slice(1)]],
    ['whose answer is missing', [...accepted(), missing('intent')]],
    ['whose intent exists', opened()],
  ])('leaves one alone %s', (_, history) => {
    expect(decideDeadLetter(given(...history))).toEqual({ kind: 'kept', why: 'submitted' });
  });

  it.each([
    ['that is settled', succeeded()],
    ['that is authorized', authorized()],
    ['that does not exist', []],
  ])('leaves one alone %s', (_, history) => {
    expect(decideDeadLetter(given(...history))).toEqual({ kind: 'kept', why: 'settled' });
  });
});
