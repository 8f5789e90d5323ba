import { defineEvent } from '../envelope.js';
import { exampleSubscriptionSnapshot, SubscriptionSnapshot } from '../subscription.js';

/** Each fact of a subscription carries the whole subscription as it is after the fact. Several may be told of one look at Stripe; what came and went between two looks is not told. */
export const SUBSCRIPTION_FACTS = {
  created: 'A subscription is known here for the first time; its status may be any.',
  incomplete: 'Its first invoice is not paid; it ends by itself within 23 hours unless somebody pays.',
  incomplete_expired: 'Nobody paid its first invoice in time. It is over.',
  trialing: 'It is in its trial.',
  active: 'It is in good standing: provide the service.',
  past_due: 'Its latest invoice was not paid as planned; `dunning` of the invoice says what comes.',
  unpaid: 'Nothing is tried any more to collect what is owed; invoices go on as drafts.',
  paused: 'Its trial ended without a payment method; nothing is billed until it is resumed.',
  canceled: 'It is over.',
  updated: 'Something else changed: items, period, cancellation planned or taken back, collection.',
} as const;
export type SubscriptionFact = keyof typeof SUBSCRIPTION_FACTS;

export const subscriptionSubject = (fact: SubscriptionFact): string => `payments.events.subscription.${fact}.v1`;

const over = { ended_at: '2026-12-21T06:00:00.000Z', canceled_at: '2026-12-21T06:00:00.000Z' };
const exampleOf = (fact: SubscriptionFact): SubscriptionSnapshot => ({
  ...exampleSubscriptionSnapshot,
  ...(fact === 'created' || fact === 'updated' ? {} : { status: fact }),
  ...(fact === 'canceled' ? { ...over, cancellation_reason: 'cancellation_requested' } : {}),
});

export const subscriptionFacts = (Object.keys(SUBSCRIPTION_FACTS) as SubscriptionFact[]).map((fact) =>
  defineEvent({
    subject: subscriptionSubject(fact),
    version: 1,
    doc: SUBSCRIPTION_FACTS[fact],
    data: SubscriptionSnapshot,
    example: exampleOf(fact),
  }),
);
