import { describe, expect, it } from '@jest/globals';
import { modernParams, shownIn } from './version-words.js';

const OLD = '2026-02-25.clover';
const NEW = '2026-03-25.dahlia';
const SESSIONS = 'POST /v1/checkout/sessions';

describe('A request of an older version', () => {
  it('may name the pages of Checkout by their old names', () => {
    expect(modernParams(OLD, SESSIONS, { ui_mode: 'custom', mode: 'payment' })).toEqual({ ui_mode: 'elements', mode: 'payment' });
    expect(modernParams(OLD, SESSIONS, { mode: 'payment' })).toEqual({ mode: 'payment' });
  });

  it('captures at once unless it says otherwise, before 2024-04-10', () => {
    expect(modernParams('2023-10-16', 'POST /v1/payment_intents', { amount: 1 })).toEqual({ amount: 1, capture_method: 'automatic' });
    expect(modernParams('2023-10-16', 'POST /v1/payment_intents', { capture_method: 'manual' })).toEqual({ capture_method: 'manual' });
    expect(modernParams('2024-04-10', 'POST /v1/payment_intents', { amount: 1 })).toEqual({ amount: 1 });
  });
});

describe('An answer in an older version', () => {
  const session = { object: 'checkout.session', ui_mode: 'hosted_page' };
  it('has the old names, in lists too', () => {
    expect(shownIn(OLD, session)).toEqual({ object: 'checkout.session', ui_mode: 'hosted' });
    expect(shownIn(OLD, { object: 'list', data: [session] })).toEqual({ object: 'list', data: [{ ...session, ui_mode: 'hosted' }] });
  });

  it('is left as it is otherwise', () => {
    const customer = { object: 'customer', ui_mode: 'hosted_page' };
    expect([shownIn(NEW, session), shownIn(OLD, customer), shownIn(OLD, null)]).toEqual([session, customer, null]);
  });
});
