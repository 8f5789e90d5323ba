import { schema } from '../schema/schema.js';
import { StripeError } from './errors.js';

/** 404 for an address without an operation. Says so when Stripe has one there that this simulator has not. */
export function unrecognized(method: string, path: string): StripeError {
  const message = isMissingHere(method, path)
    ? `This simulator does not support ${method} ${path} (Stripe does).`
    : `Unrecognized request URL (${method}: ${path}).`;
  return new StripeError(404, { type: 'invalid_request_error', message }, false);
}

/** Whether Stripe has this operation and the simulator has not. */
export function isMissingHere(method: string, path: string): boolean {
  const asked = `${method} ${path}`;
  missing ??= schema.unsupported_operations.map(
    (name) => new RegExp(`^${name.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{\w+\}/g, '[^/]+')}$`),
  );
  return missing.some((pattern) => pattern.test(asked));
}

let missing: readonly RegExp[] | undefined;
