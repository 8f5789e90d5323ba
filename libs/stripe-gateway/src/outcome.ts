import { type Intent } from './intent.js';

/** Why no answer is certain. `key_conflict`: Stripe knows our key with other parameters, so an earlier call may have had its effect. */
export type UnknownCause = 'timeout' | 'connection' | 'server_error' | 'bad_body' | 'key_conflict';

/** Everything that can be wrong with a call; the first three are certain answers. */
export type StripeFailure =
  | { kind: 'declined'; code: string; declineCode: string | null; message: string; intent?: Intent }
  | { kind: 'rejected'; status: number; code: string | null; param: string | null; message: string; intent?: Intent }
  | { kind: 'not_found'; param: string | null; message: string }
  /** The call may have had its effect. `stored`: Stripe keeps this answer under the key, so the same key will never say anything else. */
  | { kind: 'unknown'; cause: UnknownCause; stored: boolean; message: string; status?: number }
  /** Another request with this key is still running. */
  | { kind: 'in_use'; message: string }
  /** 429, or our own limiter had no place in time (`reason` is then `tidegate`): no effect, and the key is still fresh. */
  | { kind: 'limited'; reason: string; retryAfterMs: number; message: string }
  /** 401 (the key) or 403 (the key may not do this): no effect. */
  | { kind: 'auth'; status: 401 | 403; message: string }
  /** The breaker is open, or the operation is held: no call was made. */
  | { kind: 'refused'; retryAfterMs: number };

export type StripeOutcome<T> = { kind: 'ok'; value: T; requestId: string | null } | StripeFailure;
