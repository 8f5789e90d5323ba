import { type NormalizedStripeEvent } from '@tidegate/contracts/events/stripe-event';
import { describe, expect, it } from '@jest/globals';
import { paidIntent, payment, succeeded, terms } from '../../test/given.js';
import { follow } from '../payment/intent.decide.js';
import { type PaymentEvent } from '../payment/payment.events.js';
import { decideNews } from './stripe-event.decide.js';

const refundNews = (id: string, status: string): NormalizedStripeEvent => ({
  stripe_event_id: `evt_${id}`,
  type: 'refund.updated',
  created: 1_795_000_000,
  livemode: false,
  api_version: null,
  hint: false,
  replay: false,
  request_idempotency_key: null,
  object: {
    object: 'refund',
    id,
    status,
    created: 1_795_000_000,
    payment_intent: 'pi_1',
    charge: 'ch_1',
    customer: null,
    amount: 4200,
    currency: 'usd',
    failure: null,
    metadata: {},
  },
});
const refunded: PaymentEvent[] = [
  ...succeeded(),
  { type: 'RefundRecorded', data: { refund_id: 'rfd_1', stripe_refund: 're_1', status: 'succeeded', amount: 4200, reason: null } },
];

describe('News of a refund', () => {
  it('that would give back more than was captured makes us ask, because another must have failed', () => {
    expect(decideNews(payment(...refunded), refundNews('re_2', 'succeeded'), 'rfd_2')).toEqual({ kind: 'news', events: [], refresh: true });
  });
  it('that only released what a smaller capture left changes nothing', () => {
    const released = refundNews('re_released', 'succeeded');
    Object.assign(released.object, { amount: 3000, balance_transaction: null });
    expect(decideNews(payment(...succeeded(1200)), released, 'rfd_9')).toEqual({ kind: 'news', events: [], refresh: false });
    Object.assign(released.object, { balance_transaction: 'txn_1', amount: 1200 });
    expect(decideNews(payment(...succeeded(1200)), released, 'rfd_9')).toMatchObject({ events: [{ type: 'RefundRecorded' }] });
  });
  it('is believed otherwise', () => {
    const failed = decideNews(payment(...refunded), refundNews('re_1', 'failed'), 'rfd_1');
    expect(failed).toMatchObject({ events: [{ type: 'RefundRecorded', data: { status: 'failed' } }], refresh: false });
  });
});

describe('An intent of another program whose amount was changed', () => {
  const adopted: PaymentEvent = {
    type: 'PaymentAdopted',
    data: { terms: terms({ origin: 'dashboard', amount: 1000 }), intent_id: 'pi_1' },
  };
  const paid = paidIntent({ amount: 2000, amount_received: 2000 });

  it('has its new amount before it is paid', () => {
    const events = follow(payment(adopted), paid, 'hint');
    expect(events.map((event) => event.type)).toEqual(['AmountChanged', 'PaymentSucceeded']);
    expect(payment(adopted, ...events).terms.amount).toBe(2000);
  });
  it('keeps it when news do not tell one', () => {
    expect(follow(payment(adopted), { ...paid, amount: 0 }, 'hint').map((event) => event.type)).toEqual(['PaymentSucceeded']);
  });
});
