import { describe, expect, it } from '@jest/globals';
import type { Finding } from '../compare/compare.decide.js';
import { proposedRepair } from './proposed-repair.decide.js';

const finding = (changes: Partial<Finding>): Finding => ({
  class: 'status_mismatch',
  object: 'payment',
  payment_id: 'pay_1',
  stripe_id: 'pi_1',
  local: 'unknown',
  remote: 'succeeded',
  ...changes,
});

describe('The proposed repair', () => {
  it.each<[string, Partial<Finding>, string | null]>([
    ['a status that differs', {}, 'look_up'],
    ['an amount that differs', { class: 'amount_mismatch' }, 'look_up'],
    ['an unknown payment that Stripe does not have', { class: 'missing_remote', remote: null }, 'look_up'],
    ['a certain payment that Stripe does not have', { class: 'missing_remote', local: 'succeeded', remote: null }, null],
    ['an intent that nobody recorded', { class: 'missing_local', local: null }, 'adopt'],
    ['a second intent on which money moved', { class: 'missing_local', local: 'has pi_0' }, null],
    ['a refund of a known payment', { class: 'missing_local', object: 'refund', local: null }, 'look_up'],
    ['a refund of nobody knows what', { class: 'missing_local', object: 'refund', payment_id: null, local: null }, null],
  ])('of %s', (_what, changes, repair) => {
    expect(proposedRepair(finding(changes))).toBe(repair);
  });
});
