import { describe, expect, it } from '@jest/globals';
import type { CompareRules } from './finding.js';
import {
  chargeDisagrees,
  compareAbsentIntent,
  compareIntent,
  isFeePending,
  type RecordedPayment,
  type RemoteCharge,
  type RemoteIntent,
} from './payment.decide.js';
import { compareAbsentRefund, compareRefund, type RecordedRefund, type RemoteRefund } from './refund.decide.js';
import { compareAbsentDispute, compareDispute, type RecordedDispute, type RemoteDispute } from './dispute.decide.js';
import { compareAbsentSession, compareSession, type RecordedCheckout, type RemoteSession } from './checkout.decide.js';

const rules: CompareRules = { livemode: false, unmarked: 'adopt', accountTenant: 'default' };
const recorded: RecordedPayment = {
  payment_id: 'pay_1',
  tenant: 'default',
  status: 'succeeded',
  amount: 4200,
  amount_captured: 4200,
  currency: 'usd',
  stripe_payment_intent: 'pi_1',
  updated_at: new Date(0),
  made_at: new Date(0),
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
      findings: [
        {
          class: 'status_mismatch',
          object: 'payment',
          local_id: 'pay_1',
          payment_id: 'pay_1',
          stripe_id: 'pi_1',
          intent: null,
          local: ours,
          remote: stripes,
        },
      ],
    });
  });

  it('are a currency mismatch when the currency differs, and nothing else: the amounts cannot be compared', () => {
    expect(compareIntent({ ...recorded, currency: 'eur', amount: 1 }, intent, rules)).toMatchObject({
      findings: [{ class: 'currency_mismatch', local: '1 eur', remote: '4200 usd' }],
    });
  });

  it('are an amount mismatch when the amount or the captured part differ', () => {
    expect(classes(compareIntent({ ...recorded, amount: 4300 }, intent, rules))).toEqual(['amount_mismatch']);
    expect(compareIntent({ ...recorded, amount_captured: 4100 }, intent, rules)).toMatchObject({
      findings: [{ class: 'amount_mismatch', local: 'captured 4100 usd', remote: 'captured 4200 usd' }],
    });
  });

  it('agree when more was captured than the intent asks for, such as a tip: the payer pays that', () => {
    const paid = { ...intent, amount_received: 5000 };
    expect(compareIntent({ ...recorded, amount: 5000, amount_captured: 5000 }, paid, rules)).toEqual({ kind: 'agrees' });
    expect(compareIntent(recorded, paid, rules)).toMatchObject({ findings: [{ local: '4200 usd', remote: '5000 usd' }] });
  });

  it('agree on what another program asks for as long as nobody has paid, since it may change that and no event tells', () => {
    const open = { ...recorded, status: 'requires_payment_method', amount_captured: 0 };
    const changed = { ...intent, status: 'requires_payment_method', amount: 5000, amount_received: 0, currency: 'eur' };
    expect(compareIntent(open, { ...changed, metadata: {} }, rules)).toEqual({ kind: 'agrees' });
    expect(classes(compareIntent(open, changed, rules))).toEqual(['currency_mismatch']);
    expect(classes(compareIntent({ ...open, status: 'succeeded' }, { ...changed, metadata: {}, status: 'succeeded' }, rules))).toEqual([
      'currency_mismatch',
    ]);
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
        {
          class: 'missing_local',
          object: 'payment',
          local_id: 'pay_1',
          payment_id: 'pay_1',
          stripe_id: 'pi_1',
          intent: null,
          local: null,
          remote: 'succeeded 4200 usd',
        },
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

  it('is a second charge when money moved on it', () => {
    expect(compareIntent(recorded, second, rules)).toMatchObject({
      findings: [{ class: 'duplicate_charge', stripe_id: 'pi_2', local: 'has pi_1' }],
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
  it('that hangs on no intent is of no payment of ours', () => {
    expect(compareRefund(null, { ...stripes, payment_intent: null })).toEqual({ kind: 'foreign' });
  });

  const ours: RecordedRefund = {
    refund_id: 'rfd_1',
    payment_id: 'pay_1',
    tenant: 'default',
    status: 'succeeded',
    amount: 100,
    currency: 'usd',
    stripe_refund: 're_1',
    updated_at: new Date(0),
    made_at: new Date(0),
  };
  const stripes: RemoteRefund = {
    id: 're_1',
    payment_intent: 'pi_1',
    status: 'succeeded',
    amount: 100,
    currency: 'usd',
    balance_transaction: 'txn_1',
    metadata: { refund_id: 'rfd_1', payment_id: 'pay_1' },
  };

  it('that only released an authorization is nothing that we should have', () => {
    const release = { ...stripes, balance_transaction: null, metadata: {} };
    expect(compareRefund(null, release)).toEqual({ kind: 'agrees' });
    expect(classes(compareRefund(null, { ...release, balance_transaction: 'txn_1' }))).toEqual(['refund_mismatch']);
    expect(classes(compareRefund(null, { ...release, status: 'pending' }))).toEqual(['refund_mismatch']);
    expect(classes(compareRefund(null, { ...release, metadata: stripes.metadata }))).toEqual(['refund_mismatch']);
  });

  it('agrees in status and amount', () => {
    expect(compareRefund(ours, stripes)).toEqual({ kind: 'agrees' });
    expect(compareRefund({ ...ours, status: 'failed' }, { ...stripes, status: 'canceled' })).toEqual({ kind: 'agrees' });
  });

  it('is a mismatch when Stripe says otherwise', () => {
    expect(classes(compareRefund({ ...ours, status: 'unknown' }, stripes))).toEqual(['refund_mismatch']);
    expect(classes(compareRefund({ ...ours, amount: 99 }, stripes))).toEqual(['refund_mismatch']);
  });

  it('is another one when it carries our id and is not the one that we know, unless it came to nothing', () => {
    const second = { ...stripes, id: 're_2' };
    expect(compareRefund(ours, second)).toMatchObject({
      findings: [{ class: 'refund_mismatch', object: 'refund', payment_id: 'pay_1', stripe_id: 're_2', local: 'has re_1' }],
    });
    expect(compareRefund(ours, { ...second, status: 'failed' })).toEqual({ kind: 'agrees' });
    expect(compareRefund({ ...ours, stripe_refund: null }, second)).toEqual({ kind: 'agrees' });
  });

  it('is missing here, or there, when only one side has it', () => {
    expect(compareRefund(null, stripes)).toMatchObject({
      findings: [{ class: 'refund_mismatch', object: 'refund', payment_id: 'pay_1', stripe_id: 're_1', local: null }],
    });
    expect(compareAbsentRefund({ ...ours, status: 'pending' })).toMatchObject({ findings: [{ class: 'refund_mismatch', remote: null }] });
    expect(compareAbsentRefund({ ...ours, status: 'failed', stripe_refund: null })).toEqual({ kind: 'agrees' });
  });
});

describe('A charge', () => {
  const charge: RemoteCharge = {
    id: 'ch_1',
    payment_intent: 'pi_1',
    status: 'succeeded',
    captured: true,
    amount_captured: 4200,
    currency: 'usd',
    livemode: false,
    metadata: { payment_id: 'pay_1' },
  };

  it.each<[string, RecordedPayment | null, Partial<RemoteCharge>, boolean]>([
    ['agrees with a payment that succeeded', recorded, {}, false],
    ['disagrees with one that is not known to have', { ...recorded, status: 'unknown', amount_captured: 0 }, {}, true],
    ['disagrees with one that has no intent yet', { ...recorded, stripe_payment_intent: null }, {}, true],
    ['disagrees with one that has another intent', recorded, { payment_intent: 'pi_2' }, true],
    ['disagrees when it captured another amount', recorded, { amount_captured: 1 }, true],
    ['says nothing when it failed', { ...recorded, status: 'requires_payment_method' }, { status: 'failed' }, false],
    ['says nothing before it is captured', { ...recorded, status: 'authorized', amount_captured: 0 }, { captured: false }, false],
    ['disagrees with nobody knowing of it', null, {}, true],
    ['is none of ours without an intent', null, { payment_intent: null }, false],
    ['is none of ours in the other mode', null, { livemode: true }, false],
  ])('%s', (_what, payment, changes, disagrees) => expect(chargeDisagrees(payment, { ...charge, ...changes }, rules)).toBe(disagrees));

  it('without our id is foreign where unmarked ones are', () => {
    expect(chargeDisagrees(null, { ...charge, metadata: {} }, { ...rules, unmarked: 'foreign' })).toBe(false);
  });

  it('has its fee later', () => {
    expect(isFeePending({ ...charge, balance_transaction: null })).toBe(true);
    expect(isFeePending({ ...charge, balance_transaction: 'txn_1' })).toBe(false);
    expect(isFeePending({ ...charge, captured: false, balance_transaction: null })).toBe(false);
  });
});

describe('A dispute', () => {
  const ours: RecordedDispute = {
    dispute_id: 'du_1',
    payment_id: 'pay_1',
    tenant: 'default',
    status: 'needs_response',
    amount: 4200,
    currency: 'usd',
    updated_at: new Date(0),
    made_at: new Date(0),
  };
  const stripes: RemoteDispute = {
    id: 'du_1',
    payment_intent: 'pi_1',
    status: 'needs_response',
    amount: 4200,
    currency: 'usd',
    livemode: false,
  };

  it('agrees, also in a status that Stripe has invented since', () => {
    expect(compareDispute(ours, stripes, rules)).toEqual({ kind: 'agrees' });
    expect(compareDispute({ ...ours, status: 'under_review' }, { ...stripes, status: 'second_review' }, rules)).toEqual({ kind: 'agrees' });
    expect(compareDispute({ ...ours, status: 'warning_under_review' }, { ...stripes, status: 'warning_new' }, rules)).toEqual({
      kind: 'agrees',
    });
  });

  it('is a mismatch in status, in amount, and when one side does not have it', () => {
    expect(classes(compareDispute(ours, { ...stripes, status: 'lost' }, rules))).toEqual(['dispute_mismatch']);
    expect(classes(compareDispute(ours, { ...stripes, amount: 1 }, rules))).toEqual(['dispute_mismatch']);
    expect(compareDispute(null, stripes, rules)).toMatchObject({ findings: [{ class: 'dispute_mismatch', local: null, intent: 'pi_1' }] });
    expect(compareAbsentDispute(ours)).toMatchObject({ findings: [{ class: 'dispute_mismatch', remote: null }] });
  });

  it('is foreign in the other mode, and without an intent', () => {
    expect(compareDispute(null, { ...stripes, livemode: true }, rules)).toEqual({ kind: 'foreign' });
    expect(compareDispute(null, { ...stripes, payment_intent: null }, rules)).toEqual({ kind: 'foreign' });
  });
});

describe('A checkout and its session', () => {
  const ours: RecordedCheckout = {
    checkout_id: 'cks_1',
    tenant: 'default',
    status: 'complete',
    payment_status: 'paid',
    payment_id: 'pay_1',
    amount: 4200,
    currency: 'usd',
    stripe_checkout_session: 'cs_1',
    updated_at: new Date(0),
    made_at: new Date(0),
  };
  const session: RemoteSession = {
    id: 'cs_1',
    status: 'complete',
    payment_status: 'paid',
    payment_intent: 'pi_1',
    amount_total: 4200,
    currency: 'usd',
    livemode: false,
    metadata: { checkout_id: 'cks_1' },
  };

  it.each<[string, Partial<RecordedCheckout>, Partial<RemoteSession>]>([
    ['paid', {}, {}],
    ['waiting for a delayed method', { payment_status: 'awaited' }, { payment_status: 'unpaid' }],
    ['after a delayed method failed', { payment_status: 'failed' }, { payment_status: 'unpaid' }],
    ['open', { status: 'open', payment_status: 'unpaid' }, { status: 'open', payment_status: 'unpaid' }],
    ['expired', { status: 'expired', payment_status: 'unpaid' }, { status: 'expired', payment_status: 'unpaid' }],
    ['with an older page that is closed', { status: 'open' }, { id: 'cs_0', status: 'expired' }],
  ])('agree when %s', (_what, local, remote) =>
    expect(compareSession({ ...ours, ...local }, { ...session, ...remote }, rules)).toEqual({ kind: 'agrees' }),
  );

  it.each<[string, Partial<RecordedCheckout>, Partial<RemoteSession>, string]>([
    ['it was paid and we do not know', { status: 'open', payment_status: 'unpaid' }, {}, 'checkout_mismatch'],
    ['its money came and we still wait', { payment_status: 'awaited' }, {}, 'checkout_mismatch'],
    ['its total is another', {}, { amount_total: 1 }, 'checkout_mismatch'],
    ['an older page is still open', {}, { id: 'cs_0', status: 'open' }, 'checkout_mismatch'],
    ['an older page was paid instead', { status: 'open' }, { id: 'cs_0' }, 'checkout_mismatch'],
    ['an older page was paid, too', {}, { id: 'cs_0' }, 'duplicate_charge'],
  ])('disagree when %s', (_what, local, remote, name) =>
    expect(classes(compareSession({ ...ours, ...local }, { ...session, ...remote }, rules))).toEqual([name]),
  );

  it('disagree when only one side has it; what never got a page misses none', () => {
    expect(compareSession(null, session, rules)).toMatchObject({
      findings: [{ class: 'checkout_mismatch', local_id: 'cks_1', local: null }],
    });
    expect(compareAbsentSession(ours)).toMatchObject({ findings: [{ class: 'checkout_mismatch', remote: null }] });
    expect(compareAbsentSession({ ...ours, stripe_checkout_session: null })).toEqual({ kind: 'agrees' });
  });

  it('of another program is none of ours', () => {
    expect(compareSession(null, { ...session, metadata: {} }, rules)).toEqual({ kind: 'agrees' });
    expect(compareSession(null, { ...session, metadata: {} }, { ...rules, unmarked: 'foreign' })).toEqual({ kind: 'foreign' });
    expect(compareSession(null, { ...session, livemode: true }, rules)).toEqual({ kind: 'foreign' });
  });
});
