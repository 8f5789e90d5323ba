/** The attributes of `error` in a Stripe error answer; absent ones are left out of the JSON. */
export interface ErrorBody {
  readonly type: 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error';
  readonly message: string;
  readonly code?: string;
  readonly param?: string;
  readonly decline_code?: string;
  readonly charge?: string;
  readonly payment_intent?: unknown;
  readonly payment_method?: unknown;
  readonly [attribute: string]: unknown;
}

/**
 * A refusal on its way out of a request handler. Thrown, not returned, because every helper of every handler may refuse;
 * the pipeline is the only catcher. `stored` says whether an idempotency key keeps it (validation failures are not kept).
 */
export class StripeError extends Error {
  constructor(
    readonly status: number,
    readonly body: ErrorBody,
    readonly stored = true,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(body.message);
  }
}

/** 400: parameters refused before execution began, so the idempotency key stays free. */
export function invalidParam(message: string, param?: string, code?: string): StripeError {
  return new StripeError(400, { type: 'invalid_request_error', message, ...coded(code), ...(param && { param }) }, false);
}

/** 400 from the business rules: execution began, so the answer is kept under the idempotency key. */
export function refused(message: string, code: string | undefined, more: Record<string, unknown> = {}): StripeError {
  return new StripeError(400, { type: 'invalid_request_error', message, ...coded(code), ...more });
}

/** 404 for an id in the path, 400 for one in a parameter. */
export function noSuch(noun: string, id: string, param: string): StripeError {
  const status = param === 'id' ? 404 : 400;
  const message = `No such ${noun}: '${id}'`;
  return new StripeError(status, { type: 'invalid_request_error', ...coded('resource_missing'), message, param });
}

/** A code and the page that explains it. */
export function coded(code: string | undefined): { readonly code?: string; readonly doc_url?: string } {
  return code === undefined ? {} : { code, doc_url: `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}` };
}
