import { type Charge } from '../charges/charge.js';
import { type Refund } from '../refunds/refund.js';
import { type World } from '../world.js';
import { type BalanceTransaction } from './balance-transaction.js';

type Movement = Pick<
  BalanceTransaction,
  'amount' | 'fee' | 'fee_details' | 'currency' | 'description' | 'source' | 'type' | 'reporting_category'
>;

/** The captured amount less the processing fee. */
export function recordBalance(world: World, charge: Charge): BalanceTransaction {
  const { feeBasisPoints, feeFixed } = world.settings;
  const fee = Math.round((charge.amount_captured * feeBasisPoints) / 10_000) + feeFixed;
  return record(world, {
    amount: charge.amount_captured,
    fee,
    fee_details: [{ amount: fee, application: null, currency: charge.currency, description: 'Stripe processing fees', type: 'stripe_fee' }],
    currency: charge.currency,
    description: charge.description,
    source: charge.id,
    type: 'charge',
    reporting_category: 'charge',
  });
}

/** Money going back; Stripe keeps its fee. */
export function recordRefundBalance(world: World, refund: Refund): BalanceTransaction {
  const reporting = { type: 'refund', reporting_category: 'refund' } as const;
  return record(world, {
    ...reporting,
    amount: -refund.amount,
    fee: 0,
    fee_details: [],
    currency: refund.currency,
    description: 'REFUND FOR CHARGE',
    source: refund.id,
  });
}

/** Money coming back because a refund failed. */
export function recordRefundFailureBalance(world: World, refund: Refund): BalanceTransaction {
  const reporting = { type: 'refund_failure', reporting_category: 'refund_failure' } as const;
  return record(world, {
    ...reporting,
    amount: refund.amount,
    fee: 0,
    fee_details: [],
    currency: refund.currency,
    description: 'REFUND FAILURE',
    source: refund.id,
  });
}

function record(world: World, movement: Movement): BalanceTransaction {
  const now = world.clock.nowSeconds();
  return world.balanceTransactions.insert({
    id: world.ids.next('txn'),
    object: 'balance_transaction',
    amount: movement.amount,
    available_on: now + world.settings.availableAfterSeconds,
    balance_type: 'payments',
    created: now,
    currency: movement.currency,
    description: movement.description,
    exchange_rate: null,
    fee: movement.fee,
    fee_details: movement.fee_details,
    net: movement.amount - movement.fee,
    reporting_category: movement.reporting_category,
    source: movement.source,
    status: 'pending',
    type: movement.type,
  });
}
