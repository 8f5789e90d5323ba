import { describe, expect, it } from '@jest/globals';
import type { Finding } from '../compare/finding.js';
import { proposedRepair, targetsOf } from './proposed-repair.decide.js';

const found = (changes: Partial<Finding>): Finding => ({
  class: 'status_mismatch',
  object: 'payment',
  local_id: 'pay_1',
  payment_id: 'pay_1',
  stripe_id: 'pi_1',
  intent: null,
  local: 'unknown',
  remote: 'succeeded',
  ...changes,
});

describe('What would heal', () => {
  it.each([
    ['another status of a payment', found({}), 'look_up'],
    ['another amount of it', found({ class: 'amount_mismatch' }), 'look_up'],
    ['a payment that Stripe has and we do not', found({ class: 'missing_local', payment_id: null }), 'adopt'],
    ['an unknown payment that Stripe does not have', found({ class: 'missing_remote', stripe_id: null }), 'look_up'],
    ['a known one that Stripe does not have', found({ class: 'missing_remote', local: 'succeeded' }), null],
    ['a refund made elsewhere', found({ class: 'refund_mismatch', object: 'refund', payment_id: null, intent: 'pi_1' }), 'look_up'],
    ['a refund that Stripe has forgotten', found({ class: 'refund_mismatch', object: 'refund', stripe_id: 're_1', remote: null }), null],
    ['a refund whose call had no answer', found({ class: 'refund_mismatch', object: 'refund', stripe_id: null, remote: null }), 'look_up'],
    ['a dispute without anything to ask about', found({ class: 'dispute_mismatch', object: 'dispute', payment_id: null }), null],
    ['a checkout that was paid', found({ class: 'checkout_mismatch', object: 'checkout_session', local_id: 'cks_1' }), 'look_up'],
    ['a checkout that Stripe does not have', found({ class: 'checkout_mismatch', object: 'checkout_session', remote: null }), null],
    ['a payment that was charged twice', found({ class: 'duplicate_charge' }), 'refund_duplicate'],
    ['a subscription in another state', found({ class: 'subscription_mismatch', object: 'subscription', stripe_id: 'sub_1' }), 'look_up'],
    ['a subscription that Stripe denies', found({ class: 'subscription_mismatch', object: 'subscription', remote: null }), null],
    ['an invoice that nobody told of', found({ class: 'invoice_mismatch', object: 'invoice', local: null }), 'look_up'],
    ['a draft that is gone', found({ class: 'invoice_mismatch', object: 'invoice', local: 'draft 1 usd', remote: null }), 'look_up'],
    ['a paid invoice that Stripe denies', found({ class: 'invoice_mismatch', object: 'invoice', local: 'paid 1 usd', remote: null }), null],
    ['an hour of usage', found({ class: 'usage_mismatch', object: 'usage_hour' }), 'report_usage'],
    ['one that Stripe takes nothing back of', found({ class: 'usage_mismatch', object: 'usage_hour', beyond_repair: true }), null],
    ['an invoice that does not bill what was used', found({ class: 'usage_mismatch', object: 'invoice_usage' }), 'add_invoice_item'],
    ['a payment without a receipt', found({ class: 'receipt_missing', object: 'receipt' }), 'issue_receipt'],
  ])('%s', (_what, finding, repair) => expect(proposedRepair(finding)).toBe(repair));
});

describe('Whom payments is asked about', () => {
  it('is the payment, or who is behind the object that hangs on it', () => {
    expect(targetsOf(found({}))).toEqual([{ payment_id: 'pay_1', stripe_payment_intent: 'pi_1' }]);
    expect(targetsOf(found({ object: 'dispute', stripe_id: 'du_1', intent: 'pi_2', payment_id: null }))).toEqual([
      { payment_id: null, stripe_payment_intent: 'pi_2' },
    ]);
  });

  it('is a checkout and then its payment, which may not be known yet', () => {
    expect(targetsOf(found({ object: 'checkout_session', local_id: 'cks_1', stripe_id: 'cs_1', intent: 'pi_3' }))).toEqual([
      { checkout_id: 'cks_1' },
      { payment_id: null, stripe_payment_intent: 'pi_3' },
    ]);
  });
});
