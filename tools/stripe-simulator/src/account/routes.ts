import { type Route } from '../http/route.js';

/** The one account that everything belongs to. */
export const ACCOUNT_ID = 'acct_1SimulatedAccount';

export const accountRoutes: readonly Route[] = [
  {
    operation: 'GET /v1/account',
    returns: 'account',
    handle: () => ({
      id: ACCOUNT_ID,
      object: 'account',
      business_type: 'company',
      charges_enabled: true,
      country: 'US',
      default_currency: 'usd',
      details_submitted: true,
      email: 'simulator@example.com',
      metadata: {},
      payouts_enabled: true,
      type: 'standard',
    }),
  },
];
