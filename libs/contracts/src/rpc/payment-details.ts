import { z } from 'zod';
import { LineItem } from '../requests.js';

/**
 * What a receipt prints beyond the published payment. Personal data, so it travels by request/reply only, never in an event:
 * `payments.rpc.payment.get.v1` with query `expand=details` adds it to its answer as `details`.
 */
export const PaymentDetails = z.object({
  description: z.string().nullable(),
  receipt_email: z.string().nullable(),
  locale: z.string().nullable(),
  customer: z.string().nullable(),
  customer_name: z.string().nullable().default(null),
  /** The customer's, for payments that came without one of their own. */
  customer_locale: z.string().nullable().default(null),
  line_items: z.array(LineItem),
});
export type PaymentDetails = z.infer<typeof PaymentDetails>;

export const noPaymentDetails: PaymentDetails = {
  description: null,
  receipt_email: null,
  locale: null,
  customer: null,
  customer_name: null,
  customer_locale: null,
  line_items: [],
};
