/** What a key may do. A route needs exactly one of these; a key carries a list. */
export const SCOPES = {
  'payments:read': 'See payments and their history.',
  'payments:write': 'Create, confirm, capture and cancel payments.',
  'refunds:write': 'Refund payments.',
  'checkout:read': 'See checkouts.',
  'checkout:write': 'Open, close and extend checkouts, and decide about late successes.',
  'customers:read': 'See customers.',
  'customers:write': 'Make and erase customers.',
  'subscriptions:read': 'See subscriptions and invoices.',
  'subscriptions:write': 'Create, change and cancel subscriptions.',
  'usage:read': 'See usage and its limits, and ask whether a customer may use more.',
  'usage:write': 'Send usage, and set limits.',
  'receipts:read': 'See receipts and fetch their PDFs.',
  'receipts:write': 'Have documents made anew and mailed once more.',
  'reconciliation:read': 'See reconciliation runs and what they found.',
  'reconciliation:run': 'Start a reconciliation run.',
  'webhooks:read': "See Stripe's webhook events.",
  'webhooks:write': "Have Stripe's webhook events published once more.",
  'billing:stream': 'Follow what happens to payments, refunds, disputes, checkouts, subscriptions and invoices.',
  ops: 'Operate Tidegate itself; not bound to a tenant.',
} as const;

export type Scope = keyof typeof SCOPES;
export const ALL_SCOPES = Object.keys(SCOPES) as Scope[];

export const isScope = (text: string): text is Scope => Object.hasOwn(SCOPES, text);
