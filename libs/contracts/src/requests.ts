import { z } from 'zod';
import { PriceId } from './ids.js';
import { Reason } from './ops/reason.js';

const minorUnits = z.int().positive().max(999_999_999_999);
const text = (max: number) => z.string().min(1).max(max);

/** Metadata keys that Tidegate writes on Stripe objects; callers cannot set them. */
export const RESERVED_METADATA_KEYS = ['tenant_id', 'payment_id', 'refund_id', 'checkout_id', 'command_id'] as const;

/** Stripe's limits: 50 keys (ours need 5), key 40 characters without brackets, value 500. https://docs.stripe.com/metadata */
export const Metadata = z
  .record(
    z
      .string()
      .min(1)
      .max(40)
      .regex(/^[^[\]]+$/),
    z.string().max(500),
  )
  .refine((m) => Object.keys(m).length <= 45, 'at most 45 keys')
  .refine((m) => RESERVED_METADATA_KEYS.every((k) => !(k in m)), `the keys ${RESERVED_METADATA_KEYS.join(', ')} are reserved`);

export const LineItem = z.strictObject({
  name: text(250),
  quantity: z.int().positive().max(1_000_000),
  unit_amount: z.int().nonnegative().max(999_999_999_999),
  tax_amount: z.int().nonnegative().optional(),
  discount_amount: z.int().nonnegative().optional(),
});
export type LineItem = z.infer<typeof LineItem>;

const paymentMethod = z.string().regex(/^pm_[A-Za-z0-9_]{3,250}$/);
const httpsUrl = z.url({ protocol: /^https?$/ }).max(2048);

export const CreatePaymentBody = z
  .strictObject({
    amount: minorUnits,
    currency: z.string().regex(/^[a-z]{3}$/),
    payment_method: paymentMethod.optional(),
    capture_method: z.enum(['automatic', 'manual']).optional(),
    confirm: z.boolean().optional(),
    customer: z
      .string()
      .regex(/^cus_[A-Za-z0-9]{3,250}$/)
      .optional(),
    off_session: z
      .boolean()
      .optional()
      .describe('The customer is not there to confirm with the bank: a bank that asks for it is a decline'),
    setup_future_usage: z
      .enum(['on_session', 'off_session'])
      .optional()
      .describe('Saves the payment method with the customer once the payment has succeeded'),
    description: text(500).optional(),
    receipt_email: z.email().max(254).optional(),
    return_url: httpsUrl.optional(),
    locale: z
      .string()
      .regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/)
      .optional(),
    line_items: z.array(LineItem).min(1).max(200).optional(),
    not_after: z.iso.datetime().optional(),
    metadata: Metadata.optional(),
  })
  .refine((b) => !(b.confirm === false && b.payment_method !== undefined), {
    path: ['payment_method'],
    message: 'confirm: false takes no payment_method; give it to /confirm',
  })
  .refine((b) => !(b.setup_future_usage !== undefined && b.customer === undefined), {
    path: ['customer'],
    message: 'setup_future_usage saves the payment method with a customer; name one',
  })
  .refine((b) => !(b.off_session === true && b.payment_method === undefined), {
    path: ['payment_method'],
    message: 'off_session charges a payment method at once; name one',
  });
export type CreatePaymentBody = z.infer<typeof CreatePaymentBody>;

export const ConfirmPaymentBody = z.strictObject({
  payment_method: paymentMethod,
  return_url: httpsUrl.optional(),
  off_session: z.boolean().optional(),
});
export type ConfirmPaymentBody = z.infer<typeof ConfirmPaymentBody>;

export const CapturePaymentBody = z.strictObject({ amount: minorUnits.optional() });
export type CapturePaymentBody = z.infer<typeof CapturePaymentBody>;

export const CancelPaymentBody = z.strictObject({
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer', 'abandoned']).optional(),
});
export type CancelPaymentBody = z.infer<typeof CancelPaymentBody>;

export const RefundPaymentBody = z.strictObject({
  amount: minorUnits.optional(),
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
});
export type RefundPaymentBody = z.infer<typeof RefundPaymentBody>;

const locale = z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/);
const customerId = z.string().regex(/^cus_[A-Za-z0-9]{3,250}$/);

/** An empty customer is one that is only known by its id. */
export const CreateCustomerBody = z.strictObject({
  email: z.email().max(254).optional(),
  name: text(250).optional(),
  locale: locale.optional(),
  metadata: Metadata.optional(),
});
export type CreateCustomerBody = z.infer<typeof CreateCustomerBody>;

/** Stripe takes up to 20. A metered price takes no quantity. */
const subscriptionItems = z
  .array(z.strictObject({ price: PriceId, quantity: z.int().nonnegative().max(999_999).optional() }))
  .min(1)
  .max(20)
  .refine((items) => new Set(items.map(({ price }) => price)).size === items.length, 'each price once');

export const CreateSubscriptionBody = z
  .strictObject({
    customer: customerId,
    items: subscriptionItems,
    payment_method: paymentMethod.optional().describe('Attached to the customer; the default one of the customer when absent'),
    trial_days: z.int().min(1).max(730).optional(),
    collection_method: z.enum(['charge_automatically', 'send_invoice']).optional(),
    days_until_due: z.int().min(0).max(365).optional(),
    cancel_at_period_end: z.boolean().optional(),
    not_after: z.iso
      .datetime()
      .optional()
      .describe(
        'No call that makes it, or pays its first invoice, begins after this; PAYMENT_NOT_AFTER_SECONDS after the request when absent',
      ),
  })
  .refine((b) => (b.collection_method === 'send_invoice') === (b.days_until_due !== undefined), {
    path: ['days_until_due'],
    message: 'goes with collection_method send_invoice, and that needs it',
  });
export type CreateSubscriptionBody = z.infer<typeof CreateSubscriptionBody>;

/** `items` are all that it shall have: others go. Without anything, Stripe is asked how it stands. */
export const ChangeSubscriptionBody = z.strictObject({
  items: subscriptionItems.optional(),
  proration: z
    .enum(['create_prorations', 'none'])
    .optional()
    .describe('What becomes of the difference for the running period: on the next invoice (the default), or nothing'),
  payment_method: paymentMethod.optional().describe('Attached to the customer; its default from now on'),
  cancel_at_period_end: z.boolean().optional(),
});
export type ChangeSubscriptionBody = z.infer<typeof ChangeSubscriptionBody>;

export const CancelSubscriptionBody = z.strictObject({
  at_period_end: z.boolean().optional().describe('What is paid for can be used up; now when absent or false'),
});
export type CancelSubscriptionBody = z.infer<typeof CancelSubscriptionBody>;

/** Stripe takes up to 100 different items. Amounts in minor units, tax included. */
export const CheckoutLineItem = z.strictObject({
  name: text(250),
  quantity: z.int().positive().max(1_000_000),
  unit_amount: z.int().nonnegative().max(999_999_999_999),
});

/** `window_hours`: how long it can be paid, 0.5 to 24, PAYMENT_WINDOW_HOURS when absent. The URLs may contain `{CHECKOUT_SESSION_ID}`, which Stripe fills in. */
export const CreateCheckoutBody = z.strictObject({
  line_items: z.array(CheckoutLineItem).min(1).max(100),
  currency: z.string().regex(/^[a-z]{3}$/),
  success_url: httpsUrl,
  cancel_url: httpsUrl,
  customer: customerId.optional(),
  locale: locale.optional(),
  window_hours: z.number().min(0.5).max(24).optional(),
  metadata: Metadata.optional(),
});
export type CreateCheckoutBody = z.infer<typeof CreateCheckoutBody>;

export const ExpireCheckoutBody = z.strictObject({});

/** `until` goes with extend: at most 24 hours from now, PAYMENT_WINDOW_HOURS from now when absent. */
export const CheckoutWindowBody = z
  .strictObject({ action: z.enum(['extend', 'expire']), until: z.iso.datetime().optional(), reason: Reason })
  .refine((b) => b.action === 'extend' || b.until === undefined, { path: ['until'], message: 'goes with extend only' });
export type CheckoutWindowBody = z.infer<typeof CheckoutWindowBody>;

export const LateSuccessBody = z.strictObject({ action: z.enum(['accept', 'refund']), reason: Reason });
export type LateSuccessBody = z.infer<typeof LateSuccessBody>;

/** Query of GET /v1/ledger/balances. */
export const LedgerBalancesQuery = z.strictObject({
  currency: z
    .string()
    .regex(/^[a-z]{3}$/)
    .optional()
    .describe('Only this currency, in lower case'),
  before: z.iso.datetime().optional().describe('As the ledger was then: only what occurred before this time'),
});
export type LedgerBalancesQuery = z.infer<typeof LedgerBalancesQuery>;

export const CreateRunBody = z.strictObject({
  start_date: z.iso.date(),
  end_date: z.iso.date(),
  mode: z.enum(['report', 'repair']),
  classes: z.array(z.string()).optional(),
  reason: Reason,
});
export type CreateRunBody = z.infer<typeof CreateRunBody>;
