import { type BalanceTransaction } from '../balance-transactions/balance-transaction.js';
import { recordMovement } from '../balance-transactions/record.js';
import { type World } from '../world.js';
import { type Dispute } from './dispute.js';

/** The bank takes the disputed amount, and Stripe its fee. */
export function withdraw(world: World, dispute: Dispute): BalanceTransaction {
  return recordMovement(world, {
    amount: -dispute.amount,
    fee: { amount: world.settings.disputeFee, description: 'Dispute fee' },
    currency: dispute.currency,
    description: `Chargeback withdrawal for ${dispute.charge}`,
    source: dispute.id,
    type: 'adjustment',
    reportingCategory: 'dispute',
  });
}

/** A won dispute brings the amount back; the fee stays with Stripe. */
export function reinstate(world: World, dispute: Dispute): BalanceTransaction {
  return recordMovement(world, {
    amount: dispute.amount,
    currency: dispute.currency,
    description: `Chargeback reversal for ${dispute.charge}`,
    source: dispute.id,
    type: 'adjustment',
    reportingCategory: 'dispute_reversal',
  });
}
