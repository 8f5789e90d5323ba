import { type BalanceTransaction } from '../balance-transactions/balance-transaction.js';
import { recordMovement } from '../balance-transactions/record.js';
import { type World } from '../world.js';
import { type Refund, isBankRefund } from './refund.js';

/** Money going back; Stripe keeps its fee. */
export function recordRefundBalance(world: World, refund: Refund): BalanceTransaction {
  return recordMovement(world, {
    amount: -refund.amount,
    currency: refund.currency,
    description: 'REFUND FOR CHARGE',
    source: refund.id,
    type: isBankRefund(refund) ? 'payment_refund' : 'refund',
    reportingCategory: 'refund',
  });
}

/** Money coming back because a refund failed. */
export function recordRefundFailureBalance(world: World, refund: Refund): BalanceTransaction {
  return recordMovement(world, {
    amount: refund.amount,
    currency: refund.currency,
    description: 'REFUND FAILURE',
    source: refund.id,
    type: 'refund_failure',
    reportingCategory: 'refund_failure',
  });
}
