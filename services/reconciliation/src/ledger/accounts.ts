/**
 * The chart of accounts. Every tenant has each of them in each of its currencies. A balance above zero is a debit: for `asset` and `expense` that is the
 * usual side, for `income` the other one.
 */
export const ACCOUNTS = {
  stripe_balance: {
    kind: 'asset',
    doc: 'What Stripe holds for us, by its own balance transactions: equals the balance that Stripe shows, pending funds included.',
  },
  stripe_clearing: {
    kind: 'asset',
    doc: "Money on its way between payments' word and Stripe's balance. Each payment, refund and dispute comes back to zero as soon as both have told the same.",
  },
  payouts: { kind: 'asset', doc: 'Sent to the bank account. A payout that fails or is canceled comes back.' },
  sales: { kind: 'income', doc: 'Captured, in the currency that the customer paid in.' },
  refunds: { kind: 'expense', doc: 'Given back to customers; less when a refund failed later.' },
  dispute_losses: { kind: 'expense', doc: 'Withdrawn for disputes, less what was reinstated.' },
  stripe_fees: { kind: 'expense', doc: 'What Stripe kept: of charges, for disputes, and for itself.' },
  conversion: {
    kind: 'asset',
    doc: 'The two legs of an exchange: what was paid in one currency and settled in another. Each leg balances its own currency.',
  },
  other_movements: {
    kind: 'asset',
    doc: 'Moved on the balance, and neither a payment of ours nor a payout: foreign objects, top-ups, adjustments.',
  },
} as const satisfies Record<string, { kind: 'asset' | 'income' | 'expense'; doc: string }>;

export type Account = keyof typeof ACCOUNTS;
export const ACCOUNT_NAMES = Object.keys(ACCOUNTS) as Account[];
