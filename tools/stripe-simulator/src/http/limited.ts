import { type LimitedReason } from '../limits/rate-limiter.js';
import { StripeError, coded } from './errors.js';

/** 429 of the rate limiter; not kept under an idempotency key. */
export function rateLimited(reason: LimitedReason | (string & {}), headers: Readonly<Record<string, string>> = {}): StripeError {
  const body = { type: 'invalid_request_error', ...coded('rate_limit'), message: RATE_LIMITED } as const;
  return new StripeError(429, body, false, { 'Stripe-Rate-Limited-Reason': reason, ...headers });
}

/** 429 because another request holds the object; it carries no reason header and is not kept under an idempotency key. */
export function locked(headers: Readonly<Record<string, string>> = {}): StripeError {
  return new StripeError(429, { type: 'invalid_request_error', ...coded('lock_timeout'), message: LOCKED }, false, headers);
}

const RATE_LIMITED = 'Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.';
const LOCKED =
  'This object cannot be accessed right now because another API request or Stripe process is currently accessing it. If you see this error intermittently, retry the request. If you see this error frequently and are making multiple concurrent requests to a single object, make your requests serially or at a lower rate.';
