import { z } from 'zod';

/** Stable codes on the wire (`code` of application/problem+json), with the HTTP status and title that go with each. */
export const PROBLEMS = {
  'validation.failed': { status: 400, title: 'The request is not valid' },
  'body.malformed': { status: 400, title: 'The body is not valid JSON' },
  'body.too_large': { status: 413, title: 'The body is too large' },
  'body.unsupported_media_type': { status: 415, title: 'The body must be application/json' },
  'auth.missing': { status: 401, title: 'No API key was given' },
  'auth.invalid': { status: 401, title: 'The API key is not valid' },
  'auth.forbidden': { status: 403, title: 'The API key lacks the scope for this' },
  'auth.other_mode': { status: 403, title: 'The API key is of the other mode than our key of Stripe' },
  not_found: { status: 404, title: 'There is no such thing' },
  method_not_allowed: { status: 405, title: 'This method is not offered here' },
  'idempotency.key_required': { status: 400, title: 'An Idempotency-Key header is required' },
  'idempotency.key_invalid': { status: 400, title: 'The Idempotency-Key must be 1 to 255 printable characters' },
  'idempotency.mismatch': { status: 422, title: 'This Idempotency-Key was used with another body' },
  'idempotency.in_progress': { status: 409, title: 'A request with this Idempotency-Key is still running' },
  'idempotency.key_expired': { status: 409, title: 'This Idempotency-Key was used long ago and its answer is no longer kept' },
  'payments.card_data_refused': { status: 400, title: 'Card numbers never belong in a request' },
  'payments.stripe_unavailable': { status: 503, title: 'Stripe is not answering; try again with the same key' },
  'payments.rejected_by_stripe': { status: 422, title: 'Stripe refused the request' },
  'payments.amount_too_small': { status: 422, title: 'The amount is below the minimum for this currency' },
  'payments.amount_too_large': { status: 422, title: 'The amount is above the maximum' },
  'payments.currency_unsupported': { status: 422, title: 'This currency is not supported' },
  'payments.refund_exceeds_captured': { status: 422, title: 'The refund is more than what is left of the captured amount' },
  'payments.capture_exceeds_authorized': { status: 422, title: 'The capture is more than what was authorized' },
  'payments.illegal_state': { status: 422, title: 'The payment is not in a state that allows this' },
  'payments.in_progress': { status: 409, title: 'Another request about this is still under way; nothing was begun' },
  'subscriptions.expired': { status: 422, title: 'The request could not be sent to Stripe in time; nothing was made' },
  'subscriptions.given_up': { status: 422, title: 'An operator has ended this request' },
  'stripe.unavailable': { status: 503, title: 'Stripe gave no certain answer; ask again' },
  'stripe.refused': { status: 422, title: 'Stripe refuses this' },
  'api_key.ended': { status: 409, title: 'The API key is expired or revoked already' },
  'operations.illegal_state': { status: 422, title: 'The state does not allow this' },
  'receipts.link_expired': { status: 410, title: 'This link has expired' },
  'receipts.render_failed': { status: 503, title: 'The document cannot be made right now' },
  'receipts.mail_off': { status: 422, title: 'Receipts are not mailed here' },
  'receipts.no_address': { status: 422, title: 'Nobody knows where to mail this receipt to' },
  'receipts.mail_under_way': { status: 409, title: 'A mail with this receipt is going out right now' },
  'receipts.voided': { status: 422, title: 'The credit note was voided' },
  'webhook.signature_invalid': { status: 400, title: 'The signature of the delivery is not valid' },
  // Kept for clients that know it: a limit is answered 503 payments.stripe_unavailable.
  rate_limited: { status: 429, title: 'Too many requests' },
  'service.unavailable': { status: 503, title: 'Tidegate cannot answer right now; try again with the same key' },
  'service.on_hold': {
    status: 503,
    title: 'Requests are held while a restored record is compared with Stripe; try again later with the same key',
  },
  'service.timeout': { status: 503, title: 'No answer in time; the outcome is unknown, try again with the same key' },
  internal: { status: 500, title: 'An error of ours; the outcome is unknown, try again with the same key' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** RFC 9457 problem document. `type` is a relative URI that names the code. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  request_id: z.string(),
});
export type Problem = z.infer<typeof Problem>;

export const problemOf = (code: ProblemCode, detail: string, requestId: string, errors?: Problem['errors']): Problem => ({
  type: `/problems/${code}`,
  title: PROBLEMS[code].title,
  status: PROBLEMS[code].status,
  code,
  detail,
  ...(errors ? { errors } : {}),
  request_id: requestId,
});
