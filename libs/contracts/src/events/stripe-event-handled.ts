import { z } from 'zod';
import { defineEvent } from '../envelope.js';
import { handledSubject, type Owner } from '../subjects.js';

/** `ignored`: nothing to do for this type. `foreign`: another account's or tenantless object. `parked`: waits for its parent. */
export const HandledOutcome = z.enum(['processed', 'ignored', 'foreign', 'parked', 'failed']);

export const StripeEventHandled = z.object({
  stripe_event_id: z.string(),
  consumer: z.string(),
  outcome: HandledOutcome,
  reason: z.string().nullable(),
});
export type StripeEventHandled = z.infer<typeof StripeEventHandled>;

export const handledEvents = (['payments', 'reconciliation'] as Owner[]).map((service) =>
  defineEvent({
    subject: handledSubject(service),
    version: 1,
    doc: `What ${service} made of one Stripe event.`,
    data: StripeEventHandled,
    example: { stripe_event_id: 'evt_1Example', consumer: `${service}-stripe-events`, outcome: 'processed' as const, reason: null },
  }),
);
