import { type CheckoutFact } from '@tidegate/contracts/events/checkout';
import { type CheckoutEvent } from './checkout.events.js';

/** The fact that an event amounts to for others; null for what is ours alone. */
export function factOf(event: CheckoutEvent): CheckoutFact | null {
  switch (event.type) {
    case 'SessionOpened':
      return 'opened';
    case 'WindowExtended':
      return 'extended';
    case 'SessionExpired':
      return event.data.cause === 'extension' ? null : 'expired';
    case 'SessionNotOpened':
    case 'SessionRejected':
      return 'expired';
    case 'CheckoutCompleted':
      return event.data.late === null ? 'completed' : 'late_success';
    case 'PaymentSettled':
      return event.data.payment === 'paid' ? 'payment_succeeded' : 'payment_failed';
    case 'LateSuccessDecided':
      return event.data.action === 'accept' ? 'late_accepted' : null;
    case 'LateSuccessRefunded':
      return 'late_refunded';
    case 'CheckoutAccepted':
    case 'SessionSubmitted':
    case 'SessionAnswerMissing':
    case 'ExpirySubmitted':
    case 'ExpiryAnswerMissing':
    case 'CommandAccepted':
    case 'CommandCompleted':
      return null;
    default:
      return event satisfies never;
  }
}
