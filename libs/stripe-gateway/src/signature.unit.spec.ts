import { describe, expect, it } from '@jest/globals';
import { sign, verify, verifySignature } from './signature.js';

const now = 1_795_000_000;
const body = Buffer.from('{\n  "id": "evt_1",\n  "name": "Zoë"\n}');
const [old, current] = ['whsec_old', 'whsec_current'];
const rules = { secrets: [current], toleranceSeconds: 300, nowSeconds: now };

describe('A signature', () => {
  it('of the exact bytes holds', () => {
    expect(verifySignature(body, sign(body, current, now), rules)).toEqual({ ok: true, timestamp: now });
  });

  it('of reformatted JSON does not', () => {
    expect(verify(Buffer.from(JSON.stringify(JSON.parse(body.toString()))), sign(body, current, now), [current], 300, now)).toBe(false);
  });

  it('by any active secret holds, and one of several signatures is enough', () => {
    expect(verify(body, sign(body, old, now), [current, old], 300, now)).toBe(true);
    const both = `${sign(body, old, now)},${sign(body, current, now).split(',')[1]}`;
    expect(verify(body, both, [current], 300, now)).toBe(true);
  });

  it.each([-301, 301])('%i seconds away from now does not hold', (skew) => {
    expect(verifySignature(body, sign(body, current, now + skew), rules)).toEqual({ ok: false, reason: 'outside_tolerance' });
  });

  it.each([-300, 0, 300])('%i seconds away from now holds', (skew) => {
    expect(verify(body, sign(body, current, now + skew), [current], 300, now)).toBe(true);
  });

  it('never holds for a blank secret', () => {
    expect(verify(body, sign(body, '', now), ['', ' '], 300, now)).toBe(false);
  });

  it.each([undefined, '', 't=1', 'v1=abc', `t=x,v1=${'a'.repeat(64)}`, `t=${now},v1=zz`, `t=${now},v0=${'a'.repeat(64)}`])(
    'header %j is malformed',
    (header) => {
      expect(verifySignature(body, header, rules)).toEqual({ ok: false, reason: 'header_malformed' });
    },
  );

  it('by a stranger does not hold', () => {
    expect(verifySignature(body, sign(body, 'whsec_stranger', now), rules)).toEqual({ ok: false, reason: 'no_match' });
  });
});
