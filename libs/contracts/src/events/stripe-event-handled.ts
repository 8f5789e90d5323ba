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

/** The services that handle every one of Stripe's events, and report it. */
const HANDLING = ['payments', 'reconciliation'] as const satisfies readonly Owner[];
/** Their consumers, as reports name them: an event is handled when each of them has said what it made of it. */
export const STRIPE_EVENT_CONSUMERS: readonly string[] = HANDLING.map((service) => `${service}-stripe-events`);

export const handledEvents = HANDLING.map((service) =>
  defineEvent({
    subject: handledSubject(service),
    version: 1,
    doc: `What ${service} made of one Stripe event.`,
    data: StripeEventHandled,
    example: { stripe_event_id: 'evt_1Example', consumer: `${service}-stripe-events`, outcome: 'processed' as const, reason: null },
  }),
);
