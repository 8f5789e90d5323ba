import { StripeError, coded } from './errors.js';

const NO_KEY =
  "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/.";

/** Accepts Bearer and Basic (key as user name). With no configured keys any test secret or restricted key is good. Throws 401. */
export function authenticate(header: string | undefined, accepted: readonly string[]): void {
  const key = keyOf(header);
  if (key === '') throw unauthorized(NO_KEY);
  const good = accepted.length > 0 ? accepted.includes(key) : /^(sk|rk)_test_\w+$/.test(key);
  if (!good) throw unauthorized(`Invalid API Key provided: ${masked(key)}`);
}

/** 401 as Stripe answers for a key that was rolled. */
export function expiredKey(header: string | undefined): StripeError {
  return unauthorized(`Expired API Key provided: ${masked(keyOf(header))}`, 'api_key_expired');
}

function keyOf(header = ''): string {
  const [scheme = '', credentials = ''] = header.trim().split(/\s+/);
  if (scheme.toLowerCase() === 'bearer') return credentials;
  if (scheme.toLowerCase() === 'basic') return Buffer.from(credentials, 'base64').toString('utf8').split(':')[0] ?? '';
  return '';
}

function masked(key: string): string {
  const prefix = /^(sk|rk|pk)_(test|live)_/.exec(key)?.[0] ?? key.slice(0, 3);
  return `${prefix}${'*'.repeat(Math.max(4, Math.min(key.length - prefix.length - 4, 24)))}${key.slice(-4)}`;
}

function unauthorized(message: string, code?: string): StripeError {
  return new StripeError(401, { type: 'invalid_request_error', message, ...coded(code) }, false);
}
