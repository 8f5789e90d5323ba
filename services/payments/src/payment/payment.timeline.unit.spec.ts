import { type StoredEvent } from '@tidegate/event-store/event';
import { describe, expect, it } from '@jest/globals';
import { AT, accepted, authorized, completed, declined, missing, refunding, submitted, succeeded } from '../../test/given.js';
import { type PaymentEvent } from './payment.events.js';
import { timelineOf } from './payment.timeline.js';

const told = (...events: PaymentEvent[]) =>
  timelineOf(
    events.map((event, index): StoredEvent => ({
      ...event,
      version: 1,
      position: index + 1,
      stream: 'payment:pay_1',
      stream_version: index + 1,
      metadata: { correlation_id: 'cor', causation_id: null, traceparent: null },
      occurred_at: new Date(AT),
    })),
  );
const sentences = (...events: PaymentEvent[]) => told(...events).map(({ summary }) => summary);
const last = (...events: PaymentEvent[]) => sentences(...events).at(-1);
const failure = { code: 'card_declined', decline_code: 'lost_card', message: 'Your card was declined.' };
const cancelRequested = (cause: 'requested' | 'create_rejected' | 'expired'): PaymentEvent => ({
  type: 'CancelRequested',
  data: { command_id: 'cmd', reason: null, cause, failure: null },
});
const canceled = (reason: string | null): PaymentEvent => ({ type: 'PaymentCanceled', data: { reason } });
const recorded = (status: 'pending' | 'succeeded' | 'failed', failure_reason: string | null = null): PaymentEvent => ({
  type: 'RefundRecorded',
  data: { refund_id: 'rfd_1', stripe_refund: 're_1', status, amount: 1000, reason: null, failure_reason },
});

describe('The timeline of a payment', () => {
  it('tells a payment from beginning to end', () => {
    expect(sentences(...succeeded())).toEqual([
      'A payment of 42.00 USD was accepted.',
      'Stripe is asked to create the PaymentIntent.',
      'Stripe created the PaymentIntent pi_1; no money has moved.',
      'Stripe is asked to confirm the payment.',
      '42.00 USD was charged.',
      'The request has its certain answer.',
    ]);
  });

  it('says what is missing and why a call is made again', () => {
    expect(last(...accepted(), missing('intent'))).toBe(
      'Asked to create the PaymentIntent, Stripe gave no certain answer (it took too long); the effect is looked for.',
    );
    expect(last(...accepted(), missing('intent', true), submitted('intent', 2))).toBe(
      'Stripe is asked again to create the PaymentIntent, with key number 2: the one before will tell nothing more.',
    );
  });

  it('says why nothing was charged', () => {
    const decline: PaymentEvent = { type: 'PaymentDeclined', data: { failure, mark: 'm' } };
    expect(last(...succeeded().slice(0, 4), decline)).toBe(
      'The attempt to pay failed: Your card was declined (card_declined, lost_card). Nothing was charged; another payment method can be tried.',
    );
    expect(last(...accepted({}, true), canceled('expired_in_queue'))).toBe(
      'The payment was canceled: its time was up while it waited in the queue. Stripe was never asked.',
    );
    expect(last(...authorized(), canceled('automatic'))).toContain('the authorization was not captured in time');
    expect(last(...declined(), canceled('duplicate'))).toBe('The payment was canceled (duplicate); nothing was charged.');
    expect(last(...declined(), canceled(null))).toBe('The payment was canceled; nothing was charged.');
    expect(last(...declined(), cancelRequested('expired'))).toContain('Time is up');
    expect(last(...accepted(), { type: 'PaymentFailed', data: { failure: { ...failure, decline_code: null } } })).toBe(
      'The payment failed for good: Your card was declined (card_declined). Nothing was charged.',
    );
  });

  it('says where a refund stands', () => {
    const given = [...succeeded(), refunding('rfd_1', 1000)];
    expect(last(...given)).toBe('Somebody asked to refund 10.00 USD.');
    expect(last(...given, recorded('pending'))).toBe('A refund of 10.00 USD is on its way to the customer.');
    expect(last(...given, recorded('succeeded'))).toBe('10.00 USD was refunded.');
    expect(last(...given, recorded('failed', 'declined'))).toBe(
      'The refund of 10.00 USD failed (declined); the amount can be refunded again.',
    );
    expect(last(...given, { type: 'RefundNotExecuted', data: { refund_id: 'rfd_1' } })).toBe(
      'Stripe never made the refund; its amount can be refunded again.',
    );
  });

  it('counts in the minor units of the currency', () => {
    expect(last(...accepted({ currency: 'jpy', amount: 4200 }, true))).toContain('4200 JPY');
    expect(last(...accepted({ currency: 'kwd', amount: 4200 }, true))).toContain('4.200 KWD');
  });

  it('gives programs the amount and the facts, not the terms again', () => {
    const [first] = told(...accepted(), completed());
    expect(first).toMatchObject({ type: 'PaymentAccepted', at: AT, data: { amount: 4200, currency: 'usd' } });
    expect(first?.data).not.toHaveProperty('terms');
  });
});
