import { type PaymentMethod } from './payment-method.js';
import { type Behaviour } from './test-cards.js';

export type Decline = Extract<Behaviour, { kind: 'decline' }>;

/** A card that needs its holder, who is not there. */
export const AUTHENTICATION_REQUIRED: Decline = {
  kind: 'decline',
  code: 'authentication_required',
  declineCode: 'authentication_required',
  message: 'Your card was declined. This transaction requires authentication.',
};

/** A decline as errors, `last_payment_error` and `last_setup_error` show it. */
export function cardError(decline: Decline, method: PaymentMethod) {
  return {
    type: 'card_error',
    code: decline.code,
    decline_code: decline.declineCode,
    doc_url: `https://stripe.com/docs/error-codes/${decline.code.replaceAll('_', '-')}`,
    message: decline.message,
    payment_method: method,
    ...(decline.blocked ? {} : { advice_code: 'try_again_later', network_decline_code: '01' }),
  } as const;
}
