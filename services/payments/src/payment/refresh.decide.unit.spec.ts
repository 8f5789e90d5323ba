import { describe, expect, it } from '@jest/globals';
import { authorized, intent, paidIntent, payment, stripeRefund, succeeded } from '../../test/given.js';
import { type PaymentEvent } from './payment.events.js';
import { refundedOf } from './payment.state.js';
import { decideRefresh } from './refresh.decide.js';

const foreignId = (id: string) => `rfd_of_${id}`;
const given: PaymentEvent[] = [
  ...succeeded(),
  { type: 'RefundRecorded', data: { refund_id: 'rfd_of_re_1', stripe_refund: 're_1', status: 'succeeded', amount: 4200, reason: null } },
];
const first = (status: 'succeeded' | 'failed') => stripeRefund({ id: 're_1', amount: 4200, status });
const second = stripeRefund({ id: 're_2', amount: 4200 });

describe('When Stripe is asked about a payment and its refunds', () => {
  it('takes a refund that failed and the one made in its place in one decision, the failed one first', () => {
    const events = decideRefresh(payment(...given), paidIntent(), { refunds: [second, first('failed')], disputes: [] }, foreignId) ?? [];
    expect(events).toMatchObject([{ data: { stripe_refund: 're_1', status: 'failed' } }, { data: { stripe_refund: 're_2' } }]);
    expect(refundedOf(payment(...given, ...events))).toBe(4200);
  });
  it('asks again later when the list gives back more than was captured', () => {
    expect(decideRefresh(payment(...given), paidIntent(), { refunds: [second, first('succeeded')], disputes: [] }, foreignId)).toBeNull();
  });
  it('believes an intent and its refunds together', () => {
    const adopted: PaymentEvent[] = [
      { type: 'PaymentAdopted', data: { terms: { ...payment(...given).terms, origin: 'dashboard' }, intent_id: 'pi_1' } },
    ];
    const events = decideRefresh(payment(...adopted), paidIntent(), { refunds: [second], disputes: [] }, foreignId);
    expect(events?.map((event) => event.type)).toEqual(['PaymentSucceeded', 'RefundRecorded']);
  });
  it.each([
    ['known to be captured', succeeded(1200)],
    ['still authorized here', authorized()],
  ])('gives nothing back for what a smaller capture released of a payment that is %s', (_, before) => {
    const released = stripeRefund({ id: 're_released', amount: 3000, balance_transaction: null });
    const given_back = stripeRefund({ id: 're_2', amount: 700 });
    const captured = { ...paidIntent(), amount_received: 1200 };
    const events = decideRefresh(payment(...before), captured, { refunds: [released, given_back], disputes: [] }, foreignId) ?? [];
    const after = payment(...before, ...events);
    expect([refundedOf(after), after.refunds.map((one) => one.stripe_refund)]).toEqual([700, ['re_2']]);
  });
  it('ends a payment whose authorization was let go, and gives nothing back', () => {
    const released = stripeRefund({ id: 're_released', amount: 4200, balance_transaction: null });
    const canceled = intent({ status: 'canceled', cancellation_reason: 'automatic' });
    const events = decideRefresh(payment(...authorized()), canceled, { refunds: [released], disputes: [] }, foreignId);
    expect(events?.map((event) => event.type)).toEqual(['PaymentCanceled']);
  });
  it('takes a refund that has not moved the balance yet, of a payment of which nothing was released', () => {
    const early = stripeRefund({ id: 're_2', amount: 700, balance_transaction: null });
    const events = decideRefresh(payment(...succeeded()), paidIntent(), { refunds: [early], disputes: [] }, foreignId) ?? [];
    expect(refundedOf(payment(...succeeded(), ...events))).toBe(700);
  });
  it('leaves it to the answer of a call that is out', () => {
    const pending: PaymentEvent = { type: 'CaptureRequested', data: { command_id: 'cmd_3', amount: null } };
    expect(decideRefresh(payment(...given, pending), intent(), { refunds: [second], disputes: [] }, foreignId)).toEqual([]);
  });
});
