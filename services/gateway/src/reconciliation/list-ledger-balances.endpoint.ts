import { LedgerBalancesQuery } from '@tidegate/contracts/requests';
import { LedgerBalances } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const listLedgerBalances = defineEndpoint({
  id: 'listLedgerBalances',
  method: 'GET',
  path: '/v1/ledger/balances',
  tag: 'Reconciliation',
  summary: 'Balances of the ledger, per account and currency',
  description:
    "Double entry, in minor units: all balances of one currency sum to zero. `stripe_balance` is what Stripe holds by its own balance transactions; `stripe_clearing` is what payments and Stripe's balance have not both told yet.",
  scope: 'reconciliation:read',
  rpc: RPC.ledgerBalances,
  params: {},
  query: LedgerBalancesQuery,
  idempotencyKey: 'none',
  answers: { 200: { description: 'Every account that anything was posted to', schema: LedgerBalances } },
  problems: [],
});
