import { type Refund } from './intent.js';

/**
 * Whether a refund is what a smaller capture, a cancel or an expiry let go of an authorization. Stripe keeps that as a Refund object, too, and counts it in the charge's
 * `amount_refunded`, but nobody had paid it: it moves no money, so that no balance transaction belongs to it (of the API's types: a charge that is not captured is
 * "automatically refunded", `reason` may be `expired_uncaptured_charge`). One that carries our `refund_id` was asked for and is none.
 */
export const isRelease = ({
  status,
  balance_transaction,
  metadata,
}: Pick<Refund, 'status' | 'balance_transaction' | 'metadata'>): boolean =>
  status === 'succeeded' && balance_transaction === null && metadata['refund_id'] === undefined;
