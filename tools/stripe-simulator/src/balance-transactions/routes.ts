import { noSuch } from '../http/errors.js';
import { listPage } from '../http/list.js';
import { type Route } from '../http/route.js';
import { type World } from '../world.js';
import { type BalanceTransaction } from './balance-transaction.js';
import { withinPayout } from './of-payout.js';

const PATH = '/v1/balance_transactions';

export const balanceTransactionRoutes: readonly Route[] = [
  {
    operation: `GET ${PATH}`,
    returns: 'list<balance_transaction>',
    handle: (world, call) => {
      const within = withinPayout(world, call.params['payout'] as string | undefined);
      const page = listPage(call, world.balanceTransactions, {
        noun: 'balance_transaction',
        url: PATH,
        filters: ['source', 'type', 'currency'],
        ...(within && { matches: within }),
      });
      return { ...page, data: page.data.map((transaction) => balanceView(world, transaction)) };
    },
  },
  {
    operation: `GET ${PATH}/{id}`,
    returns: 'balance_transaction',
    handle: (world, { id }) => {
      const found = world.balanceTransactions.get(id);
      if (found === undefined) throw noSuch('balance_transaction', id, 'id');
      return balanceView(world, found);
    },
  },
];

/** Funds become available by themselves as time passes. */
export function balanceView(world: World, transaction: BalanceTransaction): BalanceTransaction {
  return transaction.available_on > world.clock.nowSeconds() ? transaction : { ...transaction, status: 'available' };
}
