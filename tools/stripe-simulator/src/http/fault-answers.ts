import { type FaultSpec } from '../faults/fault.js';
import { keyInUse } from '../idempotency/idempotency-keys.js';
import { type Answer, jsonAnswer } from './answer.js';
import { expiredKey } from './auth.js';

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
      return error(
        429,
        { type: 'invalid_request_error', code: 'rate_limit', message: RATE_LIMITED },
        { 'Stripe-Rate-Limited-Reason': fault.reason ?? 'global-rate', ...retry },
      );
    case 'lock_timeout':
      return error(429, { type: 'invalid_request_error', code: 'lock_timeout', message: LOCKED }, retry);
    case 'auth_expired':
      return error(401, expiredKey(request.authorization).body, retry);
    case 'key_in_use':
      return error(409, keyInUse(request.key ?? '').body, retry);
    default:
      return undefined;
  }
}

const RATE_LIMITED = 'Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.';
const LOCKED =
  'This object cannot be accessed right now because another API request or Stripe process is currently accessing it. If you see this error intermittently, retry the request. If you see this error frequently and are making multiple concurrent requests to a single object, make your requests serially or at a lower rate.';

function error(status: number, body: object, headers: Record<string, string>): Answer {
  return jsonAnswer(status, { error: body }, headers);
}
