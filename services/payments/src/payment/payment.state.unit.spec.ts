import { describe, expect, it } from '@jest/globals';
import { accepted, CREATE, declined, payment, submitted, succeeded } from '../../test/given.js';
import { statusOf, whileRunning } from './payment.state.js';

describe('Whoever waits for a command whose call is out', () => {
  const confirming = payment(
    ...declined(),
    { type: 'ConfirmRequested', data: { command_id: 'cmd_2', payment_method: 'pm_card_visa' } },
    submitted('confirm', 1, 'cmd_2'),
  );

  it('is told that the outcome is unknown, not where the payment stood before', () => {
    expect(statusOf(whileRunning(confirming, 'cmd_2'))).toBe('unknown');
  });
  it('is told so only about that command', () => {
    expect(statusOf(whileRunning(confirming, CREATE))).toBe('requires_payment_method');
  });
  it('is told what is certain, and that it is queued', () => {
    expect(statusOf(whileRunning(payment(...succeeded()), CREATE))).toBe('succeeded');
    expect(statusOf(whileRunning(payment(...accepted({}, true)), CREATE))).toBe('queued');
  });
});
