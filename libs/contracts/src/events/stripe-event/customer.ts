import { z } from 'zod';
import { commonFields, flag, since, stripeContracts, text } from './common.js';

export const CUSTOMER_TYPES = ['customer.created', 'customer.updated', 'customer.deleted'] as const;

/**
 * Nothing about the person: events are never erased, so of the metadata only Tidegate's own keys pass. One that still exists was retrieved after the event,
 * like a subscription. `customer` is its own id.
 */
export const CustomerObject = z.object({
  object: z.literal('customer'),
  ...commonFields,
  deleted: since(z.boolean()),
  currency: text,
  delinquent: since(flag),
  default_payment_method: since(text),
});
export type CustomerObject = z.infer<typeof CustomerObject>;

const example: CustomerObject = {
  object: 'customer',
  id: 'cus_3Example',
  status: null,
  created: 1795240700,
  payment_intent: null,
  customer: 'cus_3Example',
  metadata: { tenant_id: 'default' },
  deleted: false,
  currency: 'usd',
  delinquent: false,
  default_payment_method: 'pm_3Example',
};

export const customerEvents = CUSTOMER_TYPES.flatMap((type) =>
  stripeContracts({
    types: [type],
    object: CustomerObject,
    example: { ...example, deleted: type === 'customer.deleted' },
    hint: type !== 'customer.deleted',
    doc: () => `Stripe said ${type} of a customer.`,
  }),
);
