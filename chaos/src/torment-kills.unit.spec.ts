import { describe, expect, it } from '@jest/globals';
import { nextShare } from './torment-kills.js';

describe('What a hunter is to die at', () => {
  const left = ['create.a', 'create.b', 'confirm.a', 'confirm.b', 'refund.a', 'refund.b', 'inbox.a'];

  it('is a share of all that are left, which no other waits at, neighbours together', () => {
    const first = nextShare(left, new Set(), 3);
    const second = nextShare(left, new Set(first), 3);
    const third = nextShare(left, new Set([...first, ...second]), 3);
    expect([first, second, third]).toEqual([['create.a', 'create.b', 'confirm.a'], ['confirm.b', 'refund.a', 'refund.b'], ['inbox.a']]);
  });

  it('is tried by a second one when there is nothing else left', () => {
    expect(nextShare(['refund.a'], new Set(['refund.a']), 3)).toEqual(['refund.a']);
  });
});
