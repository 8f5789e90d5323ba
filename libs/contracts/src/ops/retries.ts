import { z } from 'zod';
import { PaymentStatus } from '../payment.js';
import { Reason } from './reason.js';

/** Why a waiting payment waits. `starting`: nobody has worked on it since it was accepted, or whoever did is gone. */
export const RETRY_REASONS = [
  'queued',
  'breaker_open',
  'rate_limited',
  'key_in_use',
  'auth',
  'answer_missing',
  'refund_not_listed',
  'another_look',
  'starting',
] as const;

/** A payment that waits for another try or look-up. */
export const RetryView = z.object({
  payment_id: z.string(),
  object: z.literal('retry'),
  tenant: z.string(),
  status: PaymentStatus,
  reason: z.enum(RETRY_REASONS),
  /** Tries so far; time behind an open breaker or a limit counts as none. */
  attempt: z.int(),
  waiting_since: z.iso.datetime(),
  age_seconds: z.int(),
  due_at: z.iso.datetime(),
  /** Some process is at it right now. */
  in_hand: z.boolean(),
  /** Nothing was ever sent to Stripe for it, so it may be dead-lettered. */
  unsent: z.boolean(),
});
export type RetryView = z.infer<typeof RetryView>;

export const DeadLetterRetriesBody = z.strictObject({
  older_than_seconds: z.int().nonnegative().max(31_536_000),
  reason: Reason,
  dry_run: z.boolean().optional(),
});
export type DeadLetterRetriesBody = z.infer<typeof DeadLetterRetriesBody>;

/** What leaving the queue did, or would do. */
export const DeadLetterRetriesView = z.object({
  object: z.literal('retries_dead_lettered'),
  dry_run: z.boolean(),
  /** Unsent payments that have waited for so long. */
  matched: z.int(),
  /** Payments canceled by this request, certainly unsent. */
  dead_lettered: z.int(),
  /** Of those that matched, some are left: ask again. */
  more: z.boolean(),
  /** Payments that have waited for as long and stay, because a call for them may have reached Stripe: they are carried on until certain. */
  refused: z.object({ count: z.int(), why: z.literal('submitted'), payment_ids: z.array(z.string()) }),
  /** The oldest hundred of `matched` in a preview, of `dead_lettered` otherwise. */
  payment_ids: z.array(z.string()),
});
export type DeadLetterRetriesView = z.infer<typeof DeadLetterRetriesView>;
