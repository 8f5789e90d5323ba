import { balanceView } from '../balance-transactions/routes.js';
import { type World } from '../world.js';
import { type Dispute } from './dispute.js';

/** The dispute as the API shows it now: the movements in it become available as time passes. */
export function disputeView(world: World, dispute: Dispute): Dispute {
  return { ...dispute, balance_transactions: dispute.balance_transactions.map((movement) => balanceView(world, movement)) };
}
