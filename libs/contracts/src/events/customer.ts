import { z } from 'zod';
import { defineEvent } from '../envelope.js';

/** Says whom it is about by Stripe's id alone. */
export const CustomerErased = z.object({
  customer: z.string().describe("Stripe's id, the one that payments and checkouts name as their customer."),
  erased_at: z.iso.datetime(),
  livemode: z.boolean(),
});
export type CustomerErased = z.infer<typeof CustomerErased>;

export const customerErased = defineEvent({
  subject: 'payments.events.customer.erased.v1',
  version: 1,
  doc: 'The personal data of a customer were erased: whoever keeps a copy of any erases it, too, and keeps none that comes later.',
  data: CustomerErased,
  example: { customer: 'cus_Example', erased_at: '2026-11-21T06:00:00.000Z', livemode: false },
});
