import { type Intent } from './intent.js';
import { type StripeFailure } from './outcome.js';
import { toIntent } from './translate.js';

/** What an error of the SDK offers; all of it is optional, because anything may be thrown. */
interface SdkError {
  type?: string;
  rawType?: string;
  statusCode?: number;
  code?: string | null;
  param?: string | null;
  decline_code?: string | null;
  message?: string;
  headers?: Record<string, string> | null;
  detail?: unknown;
  payment_intent?: unknown;
}

const LIMIT_PAUSE_MS = 2_000;
const LOCK_PAUSE_MS = 500;

/**
 * What an error of the SDK means for the call that threw it. Whatever is not recognized is `unknown`: it may have had its effect.
 * Sources: https://docs.stripe.com/error-low-level, https://docs.stripe.com/api/errors and SDK 23.1's own mapping.
 */
export function classifyError(thrown: unknown): StripeFailure {
  const error = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as SdkError;
  const message = error.message ?? String(thrown);
  const status = error.statusCode;
  if (error.type === 'StripeConnectionError')
    return { kind: 'unknown', cause: isTimeout(error) ? 'timeout' : 'connection', stored: false, message };
  if (status === undefined) return { kind: 'unknown', cause: 'bad_body', stored: false, message };
  if (status >= 500) return { kind: 'unknown', cause: 'server_error', stored: isStored(status, error), message, status };
  return classifyClientError(status, error, message);
}

function classifyClientError(status: number, error: SdkError, message: string): StripeFailure {
  const code = error.code ?? null;
  const param = error.param ?? null;
  if (code === 'idempotency_key_in_use') return { kind: 'in_use', message };
  if (error.rawType === 'idempotency_error') return { kind: 'unknown', cause: 'key_conflict', stored: true, message };
  if (status === 429 || code === 'rate_limit') return limited(error, code, message);
  if (status === 409) return { kind: 'in_use', message };
  if (status === 401 || status === 403) return { kind: 'auth', status, message };
  if (status === 402)
    return { kind: 'declined', code: code ?? 'card_declined', declineCode: error.decline_code ?? null, message, ...intentIn(error) };
  if (status === 404) return { kind: 'not_found', param, message };
  if (status >= 400) return { kind: 'rejected', status, code, param, message, ...intentIn(error) };
  return { kind: 'unknown', cause: 'bad_body', stored: false, message };
}

/** A lock is another request on the same object: soon over, and nothing to tell a limiter. */
function limited(error: SdkError, code: string | null, message: string): StripeFailure {
  if (code === 'lock_timeout') return { kind: 'limited', reason: 'lock_timeout', retryAfterMs: LOCK_PAUSE_MS, message };
  return { kind: 'limited', reason: header(error, 'stripe-rate-limited-reason') ?? 'rate_limit', retryAfterMs: LIMIT_PAUSE_MS, message };
}

/** Stripe stores a 500 under its key; of other 5xx it says so by replaying them. */
const isStored = (status: number, error: SdkError): boolean => status === 500 || header(error, 'idempotent-replayed') === 'true';

const header = (error: SdkError, name: string): string | undefined => error.headers?.[name];

function isTimeout(error: SdkError): boolean {
  const detail = error.detail as { code?: unknown } | undefined;
  return detail?.code === 'ETIMEDOUT';
}

function intentIn(error: SdkError): { intent?: Intent } {
  const raw = error.payment_intent;
  return typeof raw === 'object' && raw !== null && 'status' in raw ? { intent: toIntent(raw as never) } : {};
}
