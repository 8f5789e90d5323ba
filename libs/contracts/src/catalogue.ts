import type { EventContract } from './envelope.js';
import { breakerChanged } from './events/breaker.js';
import { checkoutEvents } from './events/checkout.js';
import { customerErased } from './events/customer.js';
import { feeRecorded } from './events/fee.js';
import { invoiceFacts } from './events/invoice.js';
import { paymentEvents } from './events/payment.js';
import { receiptIssued, receiptRendered, receiptVoided } from './events/receipt.js';
import { runFinished } from './events/reconciliation-run.js';
import { handledEvents } from './events/stripe-event-handled.js';
import { stripeEvents } from './events/stripe-event.js';
import { subscriptionFacts } from './events/subscription.js';

/** Every message that Tidegate publishes. */
export const CATALOGUE: readonly EventContract[] = [
  ...paymentEvents,
  breakerChanged,
  ...checkoutEvents,
  customerErased,
  ...subscriptionFacts,
  ...invoiceFacts,
  ...stripeEvents,
  ...handledEvents,
  receiptIssued,
  receiptRendered,
  receiptVoided,
  runFinished,
  feeRecorded,
];
