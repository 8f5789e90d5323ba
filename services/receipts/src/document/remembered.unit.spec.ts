import { describe, expect, it } from '@jest/globals';
import { remembered } from './remembered.js';

describe('When something is made of the same arguments again', () => {
  it('gives what was made before, and makes another of other arguments', () => {
    const of = remembered((currency: string, digits: number) => ({ currency, digits }));
    expect(of('usd', 2)).toBe(of('usd', 2));
    expect(of('usd', 0)).toEqual({ currency: 'usd', digits: 0 });
  });

  it('forgets all once there are too many, and goes on', () => {
    let made = 0;
    const of = remembered((n: number) => ({ n, nth: (made += 1) }));
    const first = of(0);
    for (let n = 1; n <= 500; n += 1) of(n);
    expect(of(0)).toEqual({ n: 0, nth: 502 });
    expect(of(0)).not.toBe(first);
    expect(made).toBe(502);
  });

  it('remembers nothing of what failed', () => {
    let fails = true;
    const of = remembered((locale: string) => {
      if (fails) throw new Error('no such locale');
      return { locale };
    });
    expect(() => of('xx')).toThrow('no such locale');
    fails = false;
    expect(of('xx')).toEqual({ locale: 'xx' });
  });
});
