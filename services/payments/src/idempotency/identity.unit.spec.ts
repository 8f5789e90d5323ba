import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { commandIdOf, operationOf, paymentIdOf, refundIdOf, requestHash } from './identity.js';

const scope = { tenant: 'default', route: 'POST /v1/payments', key: 'k1' };

describe('Ids of a request', () => {
  it('are the same for the same scope', () => {
    expect(paymentIdOf({ ...scope })).toBe(paymentIdOf(scope));
    expect(paymentIdOf(scope)).toMatch(/^pay_[0-9a-f]{32}$/);
    expect(refundIdOf(scope)).toMatch(/^rfd_[0-9a-f]{32}$/);
  });

  it('differ by tenant, route and key, wherever the border between them lies', () => {
    expect(paymentIdOf({ tenant: 'a', route: 'b', key: 'cd' })).not.toBe(paymentIdOf({ tenant: 'a', route: 'bc', key: 'd' }));
    expect(paymentIdOf({ ...scope, tenant: 'other' })).not.toBe(paymentIdOf(scope));
  });

  it('tell the operation of a command', () => {
    expect(operationOf(commandIdOf('refund', scope))).toBe('refund');
    expect(operationOf(`${commandIdOf('create', scope)}_abandon`)).toBeNull();
  });
});

describe('The hash of a body', () => {
  it('does not depend on the order of members', () => {
    expect(requestHash({ a: 1, b: { c: 2, d: 3 } })).toBe(requestHash({ b: { d: 3, c: 2 }, a: 1 }));
  });

  it('depends on every value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        fc.pre(
          JSON.stringify(a) !== JSON.stringify(b) &&
            typeof a !== 'object' &&
            typeof b !== 'object' &&
            !Object.is(a, -0) &&
            !Object.is(b, -0),
        );
        return requestHash(a) !== requestHash(b);
      }),
    );
  });
});
