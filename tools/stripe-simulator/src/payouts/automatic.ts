import { type Cause } from '../http/call.js';
import { refused } from '../http/errors.js';
import { type World } from '../world.js';
import { payOut } from './create.js';
import { type Payout } from './payout.js';

/**
 * Pays out everything that is available in a currency, as Stripe does by itself every day, and remembers which movements it
 * consists of: their sum is its amount.
 */
export function payOutAutomatically(world: World, currency: string, cause: Cause): Payout {
  const now = world.clock.nowSeconds();
  const included = world.balanceTransactions
    .all()
    .filter((one) => one.currency === currency && one.available_on <= now && world.paidOut.get(one.id) === undefined);
  const amount = included.reduce((sum, { net }) => sum + net, 0);
  if (amount < 1) throw refused(`Nothing is available in ${currency} that could be paid out.`, 'balance_insufficient');
  const payout = payOut(world, { amount, currency, automatic: true }, cause);
  for (const { id } of included) world.paidOut.insert({ id, payout: payout.id });
  world.paidOut.insert({ id: payout.balance_transaction, payout: payout.id });
  return payout;
}
