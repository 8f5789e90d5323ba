import { z } from 'zod';
import { Reason } from './reason.js';

/** Whether requests that move money are held, since when, and what the record lacks: all from `restore_point` on. */
export const HoldView = z.object({
  object: z.literal('hold'),
  held: z.boolean(),
  restore_point: z.iso.datetime().nullable(),
  held_at: z.iso.datetime().nullable(),
  reason: z.string().nullable(),
  actor: z.string().nullable(),
});
export type HoldView = z.infer<typeof HoldView>;

export const PlaceHoldBody = z.strictObject({
  restore_point: z.iso.datetime().describe('The instant of the backup that the database was restored from'),
  reason: Reason,
});
export type PlaceHoldBody = z.infer<typeof PlaceHoldBody>;
