import { z } from 'zod';
import { CheckoutView } from '../responses.js';

/** A checkout as an operator sees it, whoever's it is. */
export const OperatorCheckoutView = CheckoutView.extend({
  tenant: z.string(),
  livemode: z.boolean(),
  /** How long it has been open after the end of its window; 0 when it is not. */
  overdue_seconds: z.int(),
  /** What is still to be done for it; null when nothing is. An open one waits for the end of its window. */
  work: z
    .object({ due_at: z.iso.datetime().nullable(), waits_for: z.string().nullable(), attempt: z.int(), in_hand: z.boolean() })
    .nullable(),
});
export type OperatorCheckoutView = z.infer<typeof OperatorCheckoutView>;
