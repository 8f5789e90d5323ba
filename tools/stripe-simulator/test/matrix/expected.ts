import { type FaultSpec, type HttpFault } from '../../src/faults/fault.js';

/** What the SDK, with its own retries off, makes of a fault, and what has happened at Stripe's end. */
export interface Expected {
  readonly spec: Omit<FaultSpec, 'fault'>;
  /** The type of the error; undefined when the call succeeds. */
  readonly error?: string;
  readonly more?: Readonly<Record<string, unknown>>;
  readonly message?: string;
  /** `late`: not when the SDK reports, but soon after. */
  readonly effect: 'none' | 'done' | 'late';
  /** What a retry with the same key gets once the fault is over: a first execution, or the kept answer. */
  readonly retried: 'executed' | 'replayed' | 'replayed_500';
}

const CONNECTION = 'StripeConnectionError';
const API = 'StripeAPIError';
const LIMIT = 'StripeRateLimitError';
/** By the virtual clock. */
export const LATER_SECONDS = 3_600;
/** The SDK retries a reset once even with its retries off. */
const TWICE = { times: 2 };

export const EXPECTED: Readonly<Record<HttpFault, Expected>> = {
  refuse: { spec: TWICE, error: CONNECTION, effect: 'none', retried: 'executed' },
  hang: { spec: {}, error: CONNECTION, message: 'timeout', effect: 'none', retried: 'executed' },
  slow: { spec: { ms: 20 }, effect: 'done', retried: 'replayed' },
  late_effect: { spec: { ms: 1_500 }, error: CONNECTION, message: 'timeout', effect: 'late', retried: 'replayed' },
  reset_before: { spec: TWICE, error: CONNECTION, effect: 'none', retried: 'executed' },
  reset_after: { spec: TWICE, error: CONNECTION, effect: 'done', retried: 'replayed' },
  cut_body: { spec: {}, error: CONNECTION, effect: 'done', retried: 'replayed' },
  error_500_before: { spec: {}, error: API, more: { statusCode: 500 }, effect: 'none', retried: 'replayed_500' },
  error_500_after: { spec: {}, error: API, more: { statusCode: 500 }, effect: 'done', retried: 'replayed_500' },
  error_500_late: { spec: { ms: LATER_SECONDS * 1_000 }, error: API, more: { statusCode: 500 }, effect: 'late', retried: 'replayed_500' },
  error_502_html: { spec: {}, error: API, message: 'Invalid JSON received', effect: 'none', retried: 'executed' },
  error_503: { spec: {}, error: API, more: { statusCode: 503 }, effect: 'none', retried: 'executed' },
  rate_limit: { spec: {}, error: LIMIT, more: { statusCode: 429, code: 'rate_limit' }, effect: 'none', retried: 'executed' },
  lock_timeout: { spec: {}, error: LIMIT, more: { statusCode: 429, code: 'lock_timeout' }, effect: 'none', retried: 'executed' },
  auth_expired: {
    spec: {},
    error: 'StripeAuthenticationError',
    more: { statusCode: 401, code: 'api_key_expired' },
    effect: 'none',
    retried: 'executed',
  },
  forbidden: { spec: {}, error: 'StripePermissionError', more: { statusCode: 403 }, effect: 'none', retried: 'executed' },
  key_in_use: { spec: {}, error: API, more: { statusCode: 409, code: 'idempotency_key_in_use' }, effect: 'none', retried: 'executed' },
  list_lag: { spec: {}, effect: 'done', retried: 'replayed' },
};
