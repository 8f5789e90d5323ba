import { describe, expect, it } from '@jest/globals';
import { type StripeOutcome } from '@tidegate/stripe-gateway/port';
import { agrees, textOf, unitsOf } from './decimal.js';
import { eventIdentifier, hourIdentifier } from './identifiers.js';
import { answered, isTooOld, nextStep, type Report, settledBy } from './report.decide.js';

const NOW = new Date('2026-11-21T06:30:00.000Z');
const HOUR_MS = 3_600_000;
const ago = (hours: number) => new Date(NOW.getTime() - hours * HOUR_MS);

const report = (change: Partial<Report> = {}): Report => ({
  revision: 1,
  identifier: 'use:m:cus_1:2026-11-21T06:1',
  event_id: null,
  value: '1',
  at: ago(1),
  state: 'open',
  uncertain_since: null,
  last_call_at: null,
  ...change,
});

describe('An hour of usage', () => {
  it.each([
    ['can be billed while its last event can', 35 * 24 + 0.9, false],
    ['is too old with its last event', 35 * 24 + 1, true],
  ])('%s', (_what, hours, then) => {
    expect(isTooOld(ago(hours), NOW)).toBe(then);
  });
});

describe('The next step of a report', () => {
  it.each([
    ['one that was never sent', {}, 'send'],
    ['one without an answer, while its identifier protects', { uncertain_since: ago(22.9), last_call_at: ago(0.1) }, 'send'],
    ['one without an answer for 23 hours', { uncertain_since: ago(23), last_call_at: ago(2) }, 'settle'],
    ['one that the summary must decide', { state: 'settling', last_call_at: ago(2) } as const, 'settle'],
    ['one that is too old and was never sent', { at: ago(35 * 24) }, 'expire'],
    ['one that is too old and may have arrived', { at: ago(35 * 24), uncertain_since: ago(5), last_call_at: ago(4) }, 'settle'],
  ])('of %s', (_, change, kind) => {
    expect(nextStep(report(change), NOW).kind).toBe(kind);
  });

  it('is to wait while the summary need not show the last call yet', () => {
    const late = report({ uncertain_since: ago(24), last_call_at: ago(0.25) });
    expect(nextStep(late, NOW)).toEqual({ kind: 'wait', until: new Date(NOW.getTime() + 0.75 * HOUR_MS) });
  });
});

describe('An answer', () => {
  const ok = (duplicate: boolean): StripeOutcome<{ duplicate: boolean }> => ({ kind: 'ok', value: { duplicate }, requestId: null });
  const rejected = (code: string | null) => ({ kind: 'rejected', status: 400, code, param: null, message: '' }) as const;
  const unsent = { wasUncertain: false, byEvent: false };
  const maybeSent = { wasUncertain: true, byEvent: false };

  it.each([
    ['taken', ok(false), unsent, { kind: 'delivered' }],
    ['a duplicate of an earlier call', ok(true), maybeSent, { kind: 'delivered' }],
    ['a duplicate of the same event', ok(true), { wasUncertain: false, byEvent: true }, { kind: 'delivered' }],
    ['a duplicate of nobody knows what', ok(true), unsent, { kind: 'settling' }],
    ['too old', rejected('timestamp_too_far_in_past'), unsent, { kind: 'expired' }],
    ['too old, after a call without an answer', rejected('timestamp_too_far_in_past'), maybeSent, { kind: 'settling' }],
    ['no meter', rejected('no_meter'), unsent, { kind: 'again', uncertain: false, waitsFor: 'refused' }],
    ['no meter, after a call without an answer', rejected('no_meter'), maybeSent, { kind: 'again', uncertain: true }],
    ['none', { kind: 'unknown', cause: 'timeout', stored: false, message: '' } as const, unsent, { kind: 'again', uncertain: true }],
    ['a breaker', { kind: 'refused', retryAfterMs: 9 } as const, unsent, { kind: 'again', uncertain: false, retryAfterMs: 9 }],
  ])('that is %s', (_, outcome, before, expected) => {
    expect(answered(outcome, before)).toMatchObject(expected);
  });
});

describe('A summary', () => {
  it.each([
    ['sum', '10', '2.5', 12.5, 'delivered'],
    ['sum', '10', '2.5', 10, 'absent'],
    ['sum', '10', '2.5', 11, 'neither'],
    ['sum', '0.3', '-0.3', 0, 'delivered'],
    ['sum', '0.2', '0.1', 0.30000000000000004, 'delivered'],
    ['count', '4', '1', 5, 'delivered'],
    ['last', '4', '9', 9, 'delivered'],
    // Sending the latest twice changes nothing.
    ['last', '4', '9', 7, 'absent'],
    // An hour without an event sums to 0, too.
    ['last', '4', '0', 0, 'absent'],
  ] as const)('of a meter that takes the %s: %s sent and %s perhaps, it says %d', (formula, sent, value, summary, verdict) => {
    expect(settledBy({ sent, value, formula }, summary)).toBe(verdict);
  });
});

describe('Decimals', () => {
  it.each(['0', '-0.000000000001', '999999999999999.999999999999', '30.5', '-7'])('%s is the same text again', (text) => {
    expect(textOf(unitsOf(text))).toBe(text);
  });

  it('agree with what binary numbers make of them, and with nothing else', () => {
    expect(agrees(unitsOf('0.3'), 0.1 + 0.2)).toBe(true);
    expect(agrees(unitsOf('123456789012.3'), 123456789012.4)).toBe(false);
    expect(agrees(unitsOf('0.000001'), 0)).toBe(false);
    expect(() => unitsOf('1e3')).toThrow('Bug');
  });
});

describe('Identifiers', () => {
  const long = 'm'.repeat(100);
  it('say what they are, fit in what Stripe takes, and differ where what they stand for does', () => {
    const hour = new Date('2026-11-21T06:00:00.000Z');
    expect(hourIdentifier('calls', 'cus_1', hour, 3)).toBe('use:calls:cus_1:2026-11-21T06:3');
    const all = [
      hourIdentifier(long, 'cus_1', hour, 1),
      hourIdentifier(long, 'cus_1', hour, 2),
      eventIdentifier('calls', 'cus_1', { tenant: 'a', id: 'x' }, 0),
      eventIdentifier('calls', 'cus_1', { tenant: 'a', id: 'x' }, 1),
      eventIdentifier('calls', 'cus_1', { tenant: 'a', id: 'y' }, 0),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(all.every((one) => one.length <= 100)).toBe(true);
  });
});
