import { describe, expect, it } from '@jest/globals';
import { validIban } from './iban.js';

const GOOD = ['DE89', '3704', '0044', '0532', '0130', '00'];

describe('An IBAN', () => {
  it('is taken with spaces and in small letters', () => {
    expect(validIban(GOOD.join(' ').toLowerCase())).toBe(GOOD.join(''));
  });

  it.each(['', 'DE', 'DE88', 'not an iban', `${GOOD.join('')}0`, GOOD.join('').replace('DE89', 'DE88'), GOOD.join('').replace('DE', 'FR')])(
    'is refused when its check digits are wrong: %j',
    (text) => {
      expect(validIban(text)).toBeUndefined();
    },
  );
});
