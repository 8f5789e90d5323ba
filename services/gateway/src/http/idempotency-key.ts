import type { Endpoint } from './endpoint.js';
import { ProblemError } from './problem-error.js';

const PRINTABLE = /^[\x20-\x7e]{1,255}$/;

/** The caller's key, or null where none is needed and none was given. Throws `idempotency.key_required` or `idempotency.key_invalid`. */
export function idempotencyKeyOf(endpoint: Endpoint, header: string | string[] | undefined): string | null {
  if (endpoint.idempotencyKey === 'none') return null;
  if (header === undefined) {
    if (endpoint.idempotencyKey === 'optional') return null;
    throw new ProblemError(
      'idempotency.key_required',
      'Send an Idempotency-Key header of 1 to 255 characters that is new for each thing you want done, and the same when you try again.',
    );
  }
  if (typeof header !== 'string' || !PRINTABLE.test(header)) {
    throw new ProblemError('idempotency.key_invalid', 'The Idempotency-Key must be 1 to 255 printable ASCII characters.');
  }
  return header;
}
