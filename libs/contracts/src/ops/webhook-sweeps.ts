import { z } from 'zod';
import { Reason } from './reason.js';

export const SWEEP_ID = /^swp_[A-Za-z0-9]{8,64}$/;

export const OrderSweepBody = z.strictObject({
  /** From when on Stripe's list is read again; from a little before the last sweep when absent. Stripe lists 30 days. */
  since: z.iso.datetime().optional(),
  reason: Reason,
});
export type OrderSweepBody = z.infer<typeof OrderSweepBody>;

/** A sweep that an operator ordered. */
export const SweepView = z.object({
  id: z.string(),
  object: z.literal('webhook_sweep'),
  status: z.enum(['running', 'completed']),
  since: z.iso.datetime(),
  until: z.iso.datetime(),
  /** How far it is. */
  swept_until: z.iso.datetime(),
  /** Events that Stripe lists and that were not stored. */
  found: z.int(),
  /** Those of them that are of types that Tidegate asks to have delivered; of others Stripe delivers none. */
  missed: z.int(),
  actor: z.string(),
  reason: z.string(),
  ordered_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
});
export type SweepView = z.infer<typeof SweepView>;

/** How far Stripe's list of events has been read. */
export const SweepStatusView = z.object({
  object: z.literal('webhook_sweeps'),
  swept_until: z.iso.datetime(),
  /** When the last complete sweep began; null before the first. */
  last_sweep_at: z.iso.datetime().nullable(),
  every_seconds: z.int(),
  behind_seconds: z.int(),
  /** Being further behind than this is an alarm. */
  alarm_seconds: z.int(),
  overdue: z.boolean(),
  /** Until Stripe no longer lists what was not read. */
  runway_seconds: z.int(),
  /** Time of Stripe's, in all, that was not read before Stripe stopped listing it. */
  unlisted_seconds: z.int(),
  /** Events whose object is still to be retrieved. */
  hints_waiting: z.int(),
  /** Those ordered last. */
  ordered: z.array(SweepView),
});
export type SweepStatusView = z.infer<typeof SweepStatusView>;
