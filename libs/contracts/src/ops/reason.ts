import { z } from 'zod';

/** Why an operator changes something, in one line of his own words; it is kept with who and when. */
export const Reason = z
  .string()
  .min(1)
  .max(500)
  .regex(/^(?=.*\S).*$/, 'must say something, in one line')
  .describe('Why; kept with who and when');

/** The body of a change that needs nothing but its reason. */
export const ReasonBody = z.strictObject({ reason: Reason });
export type ReasonBody = z.infer<typeof ReasonBody>;
