import { describe, expect, it } from '@jest/globals';
import { isSplit, joined, split } from './event-details.decide.js';

const terms = { payment_id: 'pay_1', metadata: { order: '7' } };
const opened = { stripe_session: 'cs_1', url: 'https://checkout.example/cs_1', expires_at: 1 };

describe('An event with something about a person', () => {
  it.each([
    ['PaymentAccepted', { terms, queued: false }, { terms: { payment_id: 'pay_1', metadata: {} }, queued: false }],
    ['SessionOpened', opened, { ...opened, url: null }],
  ])('%s stands in the stream without it, comes out as it was, and without it once that is erased', (type, data, erased) => {
    const { kept, beside } = split(data);
    expect(JSON.stringify(kept)).not.toMatch(/order|https/);
    expect(isSplit(type, kept)).toBe(true);
    expect(joined(type, kept, beside ?? {})).toEqual(data);
    expect(joined(type, kept, {})).toEqual(erased);
  });
});

describe('An event with nothing about a person', () => {
  it.each([
    ['PaymentAccepted', { terms: { ...terms, metadata: {} } }],
    ['SessionOpened', { ...opened, url: null }],
    ['CommandCompleted', { command_id: 'cmd_1', rejection: null }],
  ])('%s stands in the stream as it is', (type, data) => {
    expect(split(data)).toEqual({ kept: data, beside: null });
    expect(isSplit(type, data)).toBe(false);
    expect(joined(type, data, {})).toBe(data);
  });
});
