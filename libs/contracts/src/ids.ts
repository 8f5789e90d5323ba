import { z } from 'zod';

const prefixed = <B extends string>(prefix: string, brand: B) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_[A-Za-z0-9]{8,64}$`))
    .brand(brand);

export const PaymentId = prefixed('pay', 'PaymentId');
export type PaymentId = z.infer<typeof PaymentId>;
export const RefundId = prefixed('rfd', 'RefundId');
export type RefundId = z.infer<typeof RefundId>;
export const ReceiptId = prefixed('rcp', 'ReceiptId');
export type ReceiptId = z.infer<typeof ReceiptId>;
export const CheckoutId = prefixed('cks', 'CheckoutId');
export type CheckoutId = z.infer<typeof CheckoutId>;
/** Stripe's own. */
export const CustomerId = z.string().regex(/^cus_[A-Za-z0-9]{3,250}$/);
export const SubscriptionId = z.string().regex(/^sub_[A-Za-z0-9_]{3,250}$/);
export const InvoiceId = z.string().regex(/^in_[A-Za-z0-9_]{3,250}$/);
export const PriceId = z.string().regex(/^[A-Za-z0-9_-]{3,255}$/);
export const RunId = prefixed('rec', 'RunId');
export type RunId = z.infer<typeof RunId>;

/** The circuit breakers: writes, reads, and reports of usage. */
export const BREAKER_NAMES = ['stripe', 'stripe_reads', 'stripe_usage'] as const;
export const BreakerName = z.enum(BREAKER_NAMES);
export type BreakerName = z.infer<typeof BreakerName>;
