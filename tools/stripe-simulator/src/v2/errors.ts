import { type ErrorBody, StripeError } from '../http/errors.js';
import { type Outcome } from '../http/execute.js';

/** 404 as v2 answers it: `code` without a `param`. */
export function notFound(noun: string, id: string): StripeError {
  return new StripeError(404, { type: 'invalid_request_error', code: 'not_found', message: `No such ${noun}: '${id}'.` });
}

/** 400 for parameters that are refused; v2 names them by this code. */
export function invalidFields(message: string, param: string): StripeError {
  return new StripeError(400, { type: 'invalid_request_error', code: 'invalid_fields', message, param }, false);
}

/**
 * An answer of the shared layers as v2 says it: what is wrong with the parameters has the code `invalid_fields`, and an idempotency
 * key that was used with others is a conflict (409). Codes as docs.stripe.com/api/v2/core/event_destinations lists them.
 */
export function asV2(outcome: Outcome): Outcome {
  const { error } = (outcome.value ?? {}) as { error?: ErrorBody };
  if (outcome.status !== 400 || error === undefined) return outcome;
  if (error.type === 'idempotency_error') return { ...outcome, status: 409 };
  const { doc_url: _url, ...body } = error;
  return { ...outcome, value: { error: { ...body, code: 'invalid_fields' } } };
}
