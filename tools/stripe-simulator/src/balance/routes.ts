import { type Route } from '../http/route.js';
import { type Funds, fundsByCurrency } from './balance.js';

const DEFAULT_CURRENCY = 'usd';

export const balanceRoutes: readonly Route[] = [
  {
    operation: 'GET /v1/balance',
    returns: 'balance',
    handle: (world) => {
      const totals = fundsByCurrency(world);
      if (totals.size === 0) totals.set(DEFAULT_CURRENCY, { available: 0, pending: 0 });
      return { object: 'balance', available: part(totals, 'available'), livemode: false, pending: part(totals, 'pending') };
    },
  },
];

function part(totals: ReadonlyMap<string, Funds>, name: keyof Funds): object[] {
  return [...totals].map(([currency, funds]) => ({ amount: funds[name], currency, source_types: { card: funds[name] } }));
}
