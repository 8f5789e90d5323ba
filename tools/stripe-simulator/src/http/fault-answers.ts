import { type FaultSpec } from '../faults/fault.js';
import { keyInUse } from '../idempotency/idempotency-keys.js';
import { type Answer, jsonAnswer } from './answer.js';
import { expiredKey } from './auth.js';
import { type StripeError } from './errors.js';
import { locked, rateLimited } from './limited.js';

const BAD_GATEWAY =
  '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n';

/** The answers of faults that stop a request before it reaches the API: nothing happens and no key is kept. */
export function faultAnswer(fault: FaultSpec, request: { authorization: string | undefined; key: string | undefined }): Answer | undefined {
  const retry: Record<string, string> = fault.should_retry === undefined ? {} : { 'Stripe-Should-Retry': String(fault.should_retry) };
  switch (fault.fault) {
    case 'error_502_html':
      return { status: 502, headers: { 'Content-Type': 'text/html' }, body: BAD_GATEWAY };
    case 'error_503':
      return error(503, { type: 'api_error', message: 'Service temporarily unavailable.' }, retry);
    case 'rate_limit':
      return refusal(rateLimited(fault.reason ?? 'global-rate', retry));
    case 'lock_timeout':
      return refusal(locked(retry));
    case 'auth_expired':
      return error(401, expiredKey(request.authorization).body, retry);
    case 'forbidden':
      return error(
        403,
        { type: 'invalid_request_error', message: 'The provided key does not have the required permissions for this endpoint.' },
        retry,
      );
    case 'key_in_use':
      return error(409, keyInUse(request.key ?? '').body, retry);
    default:
      return undefined;
  }
}

function refusal({ status, body, headers }: StripeError): Answer {
  return error(status, body, headers);
}

function error(status: number, body: object, headers: Readonly<Record<string, string>>): Answer {
  return jsonAnswer(status, { error: body }, { ...headers });
}
