import { refused } from '../http/errors.js';
import { payoutById } from '../payouts/find.js';
import { type World } from '../world.js';
import { type BalanceTransaction } from './balance-transaction.js';

/**
 * The `payout` filter: the movements that left with an automatic payout, the payout's own included
 * (https://docs.stripe.com/api/balance_transactions/list). Known once the payout is reconciled.
 */
export function withinPayout(world: World, payoutId: string | undefined): ((transaction: BalanceTransaction) => boolean) | undefined {
  if (payoutId === undefined) return undefined;
  const payout = payoutById(world, payoutId, 'payout');
  if (!payout.automatic)
    throw refused('Balance transaction history can only be filtered on automatic payouts, not manual.', undefined, { param: 'payout' });
  if (payout.reconciliation_status !== 'completed')
    throw refused(`The balance transactions of ${payout.id} are not complete yet.`, 'payout_reconciliation_not_ready', { param: 'payout' });
  return ({ id }) => world.paidOut.get(id)?.payout === payoutId;
}
