import { describe, expect, it } from '@jest/globals';
import {
  compareAbsentIntent,
  compareAbsentRefund,
  compareIntent,
  compareRefund,
  type CompareRules,
  type RecordedPayment,
  type RecordedRefund,
  type RemoteIntent,
  type RemoteRefund,
} from './compare.decide.js';

const rules: CompareRules = { livemode: false, unmarked: 'adopt' };
const recorded: RecordedPayment = {
  payment_id: 'pay_1',
  tenant: 'default',
  status: 'succeeded',
  amount: 4200,
  amount_captured: 4200,
  currency: 'usd',
  stripe_payment_intent: 'pi_1',
  updated_at: new Date(0),
};
const intent: RemoteIntent = {
  id: 'pi_1',
  status: 'succeeded',
  amount: 4200,
  amount_received: 4200,
  currency: 'usd',
  livemode: false,
  metadata: { payment_id: 'pay_1' },
};

const classes = (comparison: ReturnType<typeof compareIntent>) =>
  comparison.kind === 'differs' ? comparison.findings.map((one) => one.class) : comparison.kind;

describe('A payment and its intent', () => {
  it.each([
    ['succeeded', 'succeeded', 4200],
    ['authorized', 'requires_capture', 0],
    ['requires_payment_method', 'requires_payment_method', 0],
    ['requires_payment_method', 'requires_confirmation', 0],
    ['requires_action', 'requires_action', 0],
    ['processing', 'processing', 0],
    ['canceled', 'canceled', 0],
    ['failed', 'canceled', 0],
  ])('agree when we say %s and Stripe says %s', (ours, stripes, captured) => {
    expect(
      compareIntent(
        { ...recorded, status: ours, amount_captured: captured },
        { ...intent, status: stripes, amount_received: captured },
        rules,
      ),
    ).toEqual({ kind: 'agrees' });
  });

  it.each([
    ['unknown', 'succeeded'],
    ['queued', 'requires_payment_method'],
    ['authorized', 'canceled'],
    ['canceled', 'succeeded'],
    ['failed', 'requires_payment_method'],
    ['succeeded', 'a_status_from_the_future'],
  ])('are a status mismatch when we say %s and Stripe says %s', (ours, stripes) => {
    expect(compareIntent({ ...recorded, status: ours }, { ...intent, status: stripes }, rules)).toEqual({
      kind: 'differs',
      findings: [{ class: 'status_mismatch', object: 'payment', payment_id: 'pay_1', stripe_id: 'pi_1', local: ours, remote: stripes }],
    });
  });

  it('are an amount mismatch when amount, currency or the captured part differ', () => {
    expect(classes(compareIntent({ ...recorded, amount: 4300 }, intent, rules))).toEqual(['amount_mismatch']);
    expect(classes(compareIntent({ ...recorded, currency: 'eur' }, intent, rules))).toEqual(['amount_mismatch']);
    expect(compareIntent({ ...recorded, amount_captured: 4100 }, intent, rules)).toMatchObject({
      findings: [{ class: 'amount_mismatch', local: 'captured 4100 usd', remote: 'captured 4200 usd' }],
    });
  });

  it('may differ in both', () => {
    expect(classes(compareIntent({ ...recorded, amount: 1, status: 'unknown' }, intent, rules))).toEqual([
      'amount_mismatch',
      'status_mismatch',
    ]);
  });
});

describe('An intent without a payment', () => {
  it('is missing here when it carries our id', () => {
    expect(compareIntent(null, intent, rules)).toEqual({
      kind: 'differs',
      findings: [
        { class: 'missing_local', object: 'payment', payment_id: 'pay_1', stripe_id: 'pi_1', local: null, remote: 'succeeded 4200 usd' },
      ],
    });
  });

  it('is missing here or foreign without our id, as configured', () => {
    const unmarked = { ...intent, metadata: {} };
    expect(classes(compareIntent(null, unmarked, rules))).toEqual(['missing_local']);
    expect(compareIntent(null, unmarked, { ...rules, unmarked: 'foreign' })).toEqual({ kind: 'foreign' });
  });

  it('is foreign when it is of the other mode', () => {
    expect(compareIntent(null, { ...intent, livemode: true }, rules)).toEqual({ kind: 'foreign' });
  });
});

describe('A second intent of a payment', () => {
  const second = { ...intent, id: 'pi_2' };
  it('is a shell of a lost call when nothing happened on it', () => {
    expect(compareIntent(recorded, { ...second, status: 'requires_payment_method' }, rules)).toEqual({ kind: 'agrees' });
  });

  it('is named when money moved on it', () => {
    expect(compareIntent(recorded, second, rules)).toMatchObject({
      findings: [{ class: 'missing_local', stripe_id: 'pi_2', local: 'has pi_1' }],
    });
  });
});

describe('A payment that Stripe does not know', () => {
  it('is missing there, with or without an intent id', () => {
    expect(classes(compareAbsentIntent(recorded))).toEqual(['missing_remote']);
    expect(classes(compareAbsentIntent({ ...recorded, status: 'unknown', stripe_payment_intent: null }))).toEqual(['missing_remote']);
  });

  it.each(['queued', 'canceled', 'failed'])('need not be there when it is %s and never got an intent', (status) => {
    expect(compareAbsentIntent({ ...recorded, status, stripe_payment_intent: null })).toEqual({ kind: 'agrees' });
  });

  it('is missing there when its intent is gone, even if it was canceled', () => {
    expect(classes(compareAbsentIntent({ ...recorded, status: 'canceled' }))).toEqual(['missing_remote']);
  });
});

describe('A refund', () => {
  const ours: RecordedRefund = {
    refund_id: 'rfd_1',
    payment_id: 'pay_1',
    tenant: 'default',
    status: 'succeeded',
    amount: 100,
    currency: 'usd',
    stripe_refund: 're_1',
    updated_at: new Date(0),
  };
  const stripes: RemoteRefund = {
    id: 're_1',
    status: 'succeeded',
    amount: 100,
    currency: 'usd',
    metadata: { refund_id: 'rfd_1', payment_id: 'pay_1' },
  };

  it('agrees in status and amount', () => {
    expect(compareRefund(ours, stripes)).toEqual({ kind: 'agrees' });
    expect(compareRefund({ ...ours, status: 'failed' }, { ...stripes, status: 'canceled' })).toEqual({ kind: 'agrees' });
  });

  it('is a mismatch when Stripe says otherwise', () => {
    expect(classes(compareRefund({ ...ours, status: 'unknown' }, stripes))).toEqual(['status_mismatch']);
    expect(classes(compareRefund({ ...ours, amount: 99 }, stripes))).toEqual(['amount_mismatch']);
  });

  it('is another one when it carries our id and is not the one that we know, unless it came to nothing', () => {
    const second = { ...stripes, id: 're_2' };
    expect(compareRefund(ours, second)).toMatchObject({
      findings: [{ class: 'missing_local', object: 'refund', payment_id: 'pay_1', stripe_id: 're_2', local: 'has re_1' }],
    });
    expect(compareRefund(ours, { ...second, status: 'failed' })).toEqual({ kind: 'agrees' });
    expect(compareRefund({ ...ours, stripe_refund: null }, second)).toEqual({ kind: 'agrees' });
  });

  it('is missing here, or there, when only one side has it', () => {
    expect(compareRefund(null, stripes)).toMatchObject({
      findings: [{ class: 'missing_local', object: 'refund', payment_id: 'pay_1', stripe_id: 're_1' }],
    });
    expect(classes(compareAbsentRefund({ ...ours, status: 'pending' }))).toEqual(['missing_remote']);
    expect(compareAbsentRefund({ ...ours, status: 'failed', stripe_refund: null })).toEqual({ kind: 'agrees' });
  });
});
