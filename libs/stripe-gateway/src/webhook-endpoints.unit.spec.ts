import { describe, expect, it } from '@jest/globals';
import { HANDLED_EVENT_TYPES } from '@tidegate/contracts/handled-event-types';
import type Stripe from 'stripe';

/** Fails to compile for a type that Stripe does not have. */
const known: readonly Stripe.WebhookEndpointCreateParams.EnabledEvent[] = HANDLED_EVENT_TYPES;

describe('The event types that a webhook endpoint is registered for', () => {
  it('are in order and named once', () => {
    expect(known).toEqual([...new Set(known)].sort());
  });

  it('tell of everything that has a contract of its own', () => {
    const kinds = known.map((type) => type.split('.').slice(0, -1).join('.'));
    expect([...new Set(kinds)]).toEqual([
      'charge',
      'charge.dispute',
      'charge.refund',
      'checkout.session',
      'customer',
      'customer.subscription',
      'invoice',
      'payment_intent',
      'payout',
      'refund',
    ]);
  });

  it('do not hold the one that only runbooks know', () => {
    expect(known).not.toContain('payment_intent.failed');
  });
});
