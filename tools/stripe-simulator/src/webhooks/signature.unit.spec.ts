import { describe, expect, it } from '@jest/globals';
import Stripe from 'stripe';
import { signatureHeader } from './signature.js';

const stripe = new Stripe('sk_test_signature0001');
const now = Math.floor(Date.now() / 1000);

describe('A signature', () => {
  it('is what the SDK would make', () => {
    const body = '{"id":"evt_1"}';
    expect(`${signatureHeader(body, ['whsec_a'], now)}`).toBe(
      stripe.webhooks.generateTestHeaderString({ payload: body, secret: 'whsec_a', timestamp: now }),
    );
  });

  it('holds for each of two secrets during a rotation', () => {
    const body = '{"id":"evt_1","object":"event"}';
    const header = signatureHeader(body, ['whsec_a', 'whsec_b'], now);
    for (const secret of ['whsec_a', 'whsec_b']) expect(stripe.webhooks.constructEvent(body, header, secret).id).toBe('evt_1');
    expect(() => stripe.webhooks.constructEvent(body, header, 'whsec_c')).toThrow('No signatures found');
  });
});
