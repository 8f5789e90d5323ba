import { describe, expect, it } from '@jest/globals';
import { type Refund as StripeRefund } from '@tidegate/stripe-gateway/intent';
import { type StripeOutcome } from '@tidegate/stripe-gateway/outcome';
import fc from 'fast-check';
import { AT, payment, refunding, succeeded, terms } from '../../test/given.js';
import { type Occurred, type PaymentEvent } from './payment.events.js';
import { replay } from './payment.evolve.js';
import { type Payment, refundableOf, refundedOf } from './payment.state.js';
import { decideRefundAnswer, decideRefundLookup, observeRefund, type RefundLookup } from './refund.decide.js';

const seen = (status: StripeRefund['status'], refund_id = 'rfd_1'): StripeRefund => ({
  object: 'refund',
  id: 're_1',
  payment_intent: 'pi_1',
  charge: 'ch_1',
  status,
  amount: 1000,
  currency: 'usd',
  reason: null,
  failure_reason: null,
  balance_transaction: 'txn_1',
  metadata: { refund_id },
  created: 0,
});
const asked = (...events: PaymentEvent[]): Payment => payment(...succeeded(), refunding('rfd_1', 1000), ...events);
const refundOf = (state: Payment) => state.refunds[0] as Payment['refunds'][number];
const unanswered = (stored: boolean): PaymentEvent => ({
  type: 'RefundAnswerMissing',
  data: { refund_id: 'rfd_1', cause: 'server_error', stored },
});
const lookup = (given: Payment, list: StripeRefund[], hours: number) => decideRefundLookup(given, refundOf(given), list, rules(hours));
const eventsOf = (looked: RefundLookup) => (looked.kind === 'settled' ? looked.events : []);
const typesOf = (looked: RefundLookup) => types(eventsOf(looked));
const types = (events: PaymentEvent[]) => events.map((event) => event.type);
const rules = (hours: number) => ({ now: new Date(Date.parse(AT) + hours * 3_600_000), absenceMs: 3_600_000 });

describe('When a refund was asked for', () => {
  it('records the answer', () => {
    expect(types(decideRefundAnswer(asked(), refundOf(asked()), { kind: 'ok', value: seen('succeeded'), requestId: null }))).toEqual([
      'RefundRecorded',
      'RefundCompleted',
    ]);
  });
  it('does not let an older answer take back what a webhook told', () => {
    const told = asked({
      type: 'RefundRecorded',
      data: { refund_id: 'rfd_1', stripe_refund: 're_1', status: 'succeeded', amount: 1000, reason: null },
    });
    expect(types(decideRefundAnswer(told, refundOf(told), { kind: 'ok', value: seen('pending'), requestId: null }))).toEqual([
      'RefundCompleted',
    ]);
  });
  it('fails and frees the amount when Stripe refuses', () => {
    const refused: StripeOutcome<StripeRefund> = {
      kind: 'rejected',
      status: 400,
      code: 'charge_already_refunded',
      param: null,
      message: 'no',
    };
    const events = decideRefundAnswer(asked(), refundOf(asked()), refused);
    expect(types(events)).toEqual(['RefundRejected', 'RefundCompleted']);
    expect(refundableOf(asked(...events))).toBe(4200);
  });
});

describe('When the answer to a refund is missing', () => {
  it('keeps its amount reserved', () => {
    expect(refundableOf(asked(unanswered(true)))).toBe(3200);
  });
  it('finds it by our id in a complete list', () => {
    expect(typesOf(lookup(asked(unanswered(true)), [seen('succeeded')], 0))).toEqual(['RefundRecorded', 'RefundCompleted']);
  });
  it('calls again with its only key if Stripe stored nothing and the key is young', () => {
    expect(lookup(asked(unanswered(false)), [], 1)).toEqual({ kind: 'repeat' });
    expect(lookup(asked(unanswered(false)), [], 24).kind).toBe('settled');
  });
  it('never calls again after a stored error, and gives up only when two complete lists an hour apart lack it', () => {
    const once = lookup(asked(unanswered(true)), [seen('succeeded', 'rfd_other')], 0);
    expect(typesOf(once)).toEqual(['RefundNotSeen']);
    const absent = asked(unanswered(true), ...eventsOf(once));
    expect(lookup(absent, [], 0.9)).toEqual({ kind: 'settled', events: [] });
    expect(typesOf(lookup(absent, [], 1))).toEqual(['RefundNotExecuted', 'RefundCompleted']);
  });
  it('does not take a 404 for the end: the call before it may have had its effect in another account', () => {
    const gone: StripeOutcome<StripeRefund> = { kind: 'not_found', param: 'payment_intent', message: 'no' };
    expect(types(decideRefundAnswer(asked(), refundOf(asked()), gone))).toEqual(['RefundRejected', 'RefundCompleted']);
    const given = asked(unanswered(false));
    expect(types(decideRefundAnswer(given, refundOf(given), gone))).toEqual(['RefundAnswerMissing']);
  });
  it('believes what was told of it meanwhile, and neither a refusal nor a list from before that', () => {
    const absent = asked(unanswered(true), { type: 'RefundNotSeen', data: { refund_id: 'rfd_1' } });
    const given = join(absent, observeRefund(absent, seen('succeeded'), 'rfd_foreign'));
    expect(typesOf(lookup(given, [], 1))).toEqual(['RefundCompleted']);
    const refused: StripeOutcome<StripeRefund> = { kind: 'rejected', status: 400, code: null, param: null, message: 'no' };
    expect(types(decideRefundAnswer(given, refundOf(given), refused))).toEqual(['RefundCompleted']);
  });
  it('waits for a list that tells which other refund failed, when there would be more than was captured', () => {
    const other = { ...seen('succeeded', ''), id: 're_9', amount: 4200, metadata: {} };
    const given = asked(unanswered(false), ...observeRefund(asked(), other, 'rfd_foreign'));
    expect(types(decideRefundAnswer(given, refundOf(given), { kind: 'ok', value: seen('succeeded'), requestId: null }))).toEqual([
      'RefundAnswerMissing',
    ]);
    expect(lookup(given, [other, seen('succeeded')], 0)).toEqual({ kind: 'behind' });
    const told = lookup(given, [{ ...other, status: 'failed' }, seen('succeeded')], 0);
    expect(refundedOf(join(given, eventsOf(told)))).toBe(1000);
  });
  it('counts it after all when it appears later', () => {
    const given = asked(
      unanswered(true),
      { type: 'RefundNotSeen', data: { refund_id: 'rfd_1' } },
      { type: 'RefundNotExecuted', data: { refund_id: 'rfd_1' } },
    );
    const events = observeRefund(given, seen('succeeded'), 'rfd_foreign');
    expect(refundedOf(join(given, events))).toBe(1000);
  });
});

describe("Stripe's news about refunds", () => {
  it('end in the same state in any order, any number of times', () => {
    const news = [seen('pending'), seen('succeeded'), seen('failed')];
    fc.assert(
      fc.property(fc.shuffledSubarray([...news, ...news, ...news], { minLength: 9 }), (order) => {
        const end = order.reduce<Payment>((state, one) => join(state, observeRefund(state, one, 'rfd_foreign')), asked());
        return refundOf(end).status === 'failed' && end.refunds.length === 1;
      }),
    );
  });
  it('add one that was made elsewhere, once', () => {
    const elsewhere = { ...seen('succeeded'), id: 're_9', metadata: {} };
    const once = join(payment(...succeeded()), observeRefund(payment(...succeeded()), elsewhere, 'rfd_foreign'));
    expect(once.refunds).toMatchObject([{ id: 'rfd_foreign', stripe_refund: 're_9', status: 'succeeded', completed: true }]);
    expect(observeRefund(once, elsewhere, 'rfd_foreign')).toEqual([]);
  });
});

describe('When a restored database lost a refund', () => {
  const marked = (payment_id: string, refund_id: string) => ({
    ...seen('succeeded'),
    metadata: { payment_id, refund_id, command_id: 'cmd_refund_1' },
  });
  const found = (one: StripeRefund) => join(payment(...succeeded()), observeRefund(payment(...succeeded()), one, 'rfd_foreign')).refunds[0];

  it('it comes back under the ids that it carries', () => {
    expect(found(marked(terms().payment_id, 'rfd_00000001'))).toMatchObject({
      id: 'rfd_00000001',
      command_id: 'cmd_refund_1',
      completed: true,
    });
  });
  it('but ids that are not ours, or of another payment, are not believed', () => {
    expect(found(marked('pay_00000000000000000000000000000002', 'rfd_00000001'))).toMatchObject({ id: 'rfd_foreign', command_id: null });
    expect(found(marked(terms().payment_id, 'x'))).toMatchObject({ id: 'rfd_foreign', command_id: null });
  });
});

const join = (state: Payment, events: PaymentEvent[]): Payment =>
  replay(
    events.map((event) => ({ ...event, at: AT }) as Occurred),
    state,
  ) as Payment;
