import { describe, expect, it } from '@jest/globals';
import { readLink, signLink } from './link-token.js';

const claim = { receiptId: 'rcp_4f1c2b7a9d3e5f60', until: 1_800_000_000 };

describe('Given a signed link', () => {
  const token = signLink(claim, 'new');

  it('says which receipt it is for and until when', () => {
    expect(readLink(token, ['new'])).toEqual(claim);
  });

  it('is still read when the key was replaced by a newer one', () => {
    expect(readLink(token, ['newer', 'new'])).toEqual(claim);
  });

  it.each([
    ['signed by another key', token, ['other']],
    ['made longer', signLink({ ...claim, until: claim.until + 1 }, 'x').split('.')[0] + '.' + token.split('.')[1], ['new']],
    ['cut', token.slice(0, -1), ['new']],
    ['empty', '', ['new']],
  ])('is nothing when it was %s', (_, altered, keys) => {
    expect(readLink(altered, keys)).toBeNull();
  });
});
