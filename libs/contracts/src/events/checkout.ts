import { CheckoutSnapshot, exampleCheckoutSnapshot } from '../checkout.js';
import { defineEvent } from '../envelope.js';

const FULFIL = 'Fulfil only when `payment_status` is `paid` and `late_success` is null or `accepted`';

/** Each fact of a checkout carries the whole checkout as it is after the fact. */
export const CHECKOUT_FACTS = {
  opened: 'There is a page where it can be paid.',
  extended: 'Its window was extended; the page before is gone, and a fresh one follows with `opened`.',
  expired: 'It ended unpaid; Stripe takes no payment for it any more.',
  completed: `The payer is through in time. ${FULFIL}; when it is \`awaited\`, wait for \`payment_succeeded\`.`,
  payment_succeeded: `The delayed payment of a completed checkout arrived. ${FULFIL}: after a late success the money may be on its way back.`,
  payment_failed: 'The delayed payment of a completed checkout failed.',
  late_success: `The payer was through after the end of its window: \`payment_status\` says whether the money is there, \`late_success\` what becomes of it. ${FULFIL}.`,
  late_accepted: `A person accepted a late success that was held. ${FULFIL}.`,
  late_refunded: 'A late success was given back.',
} as const;
export type CheckoutFact = keyof typeof CHECKOUT_FACTS;

const unpaid = { payment_id: null, payment_status: 'unpaid', stripe_payment_intent: null } as const;
const EXAMPLES: Partial<Record<CheckoutFact, Partial<CheckoutSnapshot>>> = {
  opened: { status: 'open', ...unpaid },
  extended: { status: 'open', ...unpaid, stripe_checkout_session: null },
  expired: { status: 'expired', ...unpaid },
  payment_failed: { payment_status: 'failed' },
  late_success: { payment_status: 'awaited', late_success: 'accepted' },
  late_accepted: { late_success: 'accepted' },
  late_refunded: { late_success: 'refunded' },
};

export const checkoutSubject = (fact: CheckoutFact): string => `payments.events.checkout.${fact}.v1`;

export const checkoutEvents = (Object.keys(CHECKOUT_FACTS) as CheckoutFact[]).map((fact) =>
  defineEvent({
    subject: checkoutSubject(fact),
    version: 1,
    doc: CHECKOUT_FACTS[fact],
    data: CheckoutSnapshot,
    example: { ...exampleCheckoutSnapshot, ...EXAMPLES[fact] },
  }),
);
