import { type World } from '../world.js';

export interface Funds {
  available: number;
  pending: number;
}

/** What the account holds in each currency, from every movement up to now. Minor units; either may be negative. */
export function fundsByCurrency(world: World): Map<string, Funds> {
  const now = world.clock.nowSeconds();
  const totals = new Map<string, Funds>();
  for (const { currency, net, available_on: availableOn } of world.balanceTransactions.all()) {
    const funds = totals.get(currency) ?? { available: 0, pending: 0 };
    funds[availableOn > now ? 'pending' : 'available'] += net;
    totals.set(currency, funds);
  }
  return totals;
}

export function availableFunds(world: World, currency: string): number {
  return fundsByCurrency(world).get(currency)?.available ?? 0;
}
