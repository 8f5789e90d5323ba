import { z } from 'zod';
import { defineEvent } from '../envelope.js';
import { BREAKER_STATES } from '../responses.js';

export const BreakerChanged = z.object({
  breaker: z.string(),
  from: z.enum(BREAKER_STATES),
  to: z.enum(BREAKER_STATES),
  /** failures, probe, probe_succeeded, probe_failed, key_refused, key_changed; isolate, close, reset were asked for by `actor`. */
  cause: z.string(),
  calls: z.int().nullable(),
  failures: z.int().nullable(),
  retry_at: z.iso.datetime().nullable(),
  actor: z.string().nullable(),
  reason: z.string().nullable(),
});
export type BreakerChanged = z.infer<typeof BreakerChanged>;

export const breakerChanged = defineEvent({
  subject: 'payments.events.breaker.changed.v1',
  version: 1,
  doc: 'A circuit breaker of the fleet changed its state, for all processes at once. It belongs to no tenant: the tenant is `-`.',
  data: BreakerChanged,
  example: {
    breaker: 'stripe',
    from: 'closed' as const,
    to: 'open' as const,
    cause: 'failures',
    calls: 8,
    failures: 5,
    retry_at: '2026-11-21T06:00:30.000Z',
    actor: null,
    reason: null,
  },
});
