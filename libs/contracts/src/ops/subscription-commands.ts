import { z } from 'zod';
import { RETRY_REASONS } from './retries.js';

export const SUBSCRIPTION_COMMAND_KINDS = ['create', 'change', 'cancel'] as const;

/** A request about a subscription that has no certain outcome yet, and is carried on. */
export const SubscriptionCommandView = z.object({
  id: z.string(),
  object: z.literal('subscription_command'),
  tenant: z.string(),
  kind: z.enum(SUBSCRIPTION_COMMAND_KINDS),
  /** Null while none is known to be made. */
  subscription: z.string().nullable(),
  customer: z.string().nullable().describe('Of a create'),
  /** What comes next: the call that it is about, paying the first invoice, or only seeing how things stand. */
  step: z.enum(['call', 'pay', 'look']),
  /** A call may have had its effect and has no answer. Such a command cannot be given up. */
  answer_missing: z.boolean(),
  /** It cancels a subscription that a lost call made twice: nobody waits for its answer. */
  of_orphan: z.boolean(),
  reason: z.enum(RETRY_REASONS),
  /** Tries so far; time behind an open breaker counts as none. */
  attempt: z.int(),
  created_at: z.iso.datetime(),
  age_seconds: z.int(),
  /** When it is tried next; null when nobody has planned that. */
  due_at: z.iso.datetime().nullable(),
  /** Some process is at it right now. */
  in_hand: z.boolean(),
});
export type SubscriptionCommandView = z.infer<typeof SubscriptionCommandView>;

export const SubscriptionCommandResolution = z.object({ object: z.literal('subscription_command_resolution'), id: z.string() });
export type SubscriptionCommandResolution = z.infer<typeof SubscriptionCommandResolution>;

export const SubscriptionCommandGivenUp = z.object({
  object: z.literal('subscription_command_given_up'),
  id: z.string(),
  /** It stays at Stripe as it is there. */
  subscription: z.string().nullable(),
});
export type SubscriptionCommandGivenUp = z.infer<typeof SubscriptionCommandGivenUp>;
