import { type Rejection } from '../payment/payment.events.js';

/** The checkout is in a state that does not allow it. */
export const illegalState = (verb: string, status: string): Rejection => ({
  code: 'payments.illegal_state',
  detail: `A checkout that is ${status} cannot be ${verb}.`,
});

/** Told to whoever waits for a page that Stripe could not be asked for in time. */
export const windowEnded: Rejection = {
  code: 'payments.illegal_state',
  detail: 'The window ended before Stripe could be asked for a page; nothing can be paid.',
};
