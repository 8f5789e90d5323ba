import { z } from 'zod';
import { amount, commonFields, text } from './common.js';

/** Stripe's word for the kind, whichever; a literal to the compiler, so that a switch over `object` can tell the other kinds apart. */
export type AnotherKind = '(any other kind)';

/** Any object without a contract of its own, by what it has in common with the others. */
export const OtherObject = z.object({
  object: z.string() as unknown as z.ZodType<AnotherKind>,
  ...commonFields,
  charge: text,
  amount: amount,
  currency: text,
});
export type OtherObject = z.infer<typeof OtherObject>;

export const exampleOther: OtherObject = OtherObject.parse({
  object: 'product',
  id: 'prod_3Example',
  status: null,
  created: 1795240799,
  payment_intent: null,
  customer: null,
  metadata: {},
  charge: null,
  amount: null,
  currency: null,
});
