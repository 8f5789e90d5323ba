/** Who uses a bank account agrees to its debit on the page. */
export const AGREED = { customer_acceptance: { type: 'online', online: { ip_address: '127.0.0.1', user_agent: 'Checkout' } } } as const;
