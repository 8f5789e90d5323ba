import { type World } from '../world.js';
import { type BalanceTransaction, type BalanceType } from './balance-transaction.js';

export interface Movement {
  /** Minor units; negative when money leaves. */
  readonly amount: number;
  readonly currency: string;
  readonly type: BalanceType;
  readonly reportingCategory: string;
  /** The object that moved the money. */
  readonly source: string;
  readonly description: string | null;
  /** None by default. */
  readonly fee?: { readonly amount: number; readonly description: string };
  /** Available at once instead of after the waiting time of the settings. */
  readonly atOnce?: boolean;
}

/** Writes one movement of the account's balance. */
export function recordMovement(world: World, movement: Movement): BalanceTransaction {
  const { amount, currency, fee, atOnce } = movement;
  const now = world.clock.nowSeconds();
  return world.balanceTransactions.insert({
    id: world.ids.next('txn'),
    object: 'balance_transaction',
    amount,
    available_on: atOnce ? now : now + world.settings.availableAfterSeconds,
    balance_type: 'payments',
    created: now,
    currency,
    description: movement.description,
    exchange_rate: null,
    fee: fee?.amount ?? 0,
    fee_details: fee === undefined ? [] : [{ ...fee, application: null, currency, type: 'stripe_fee' }],
    net: amount - (fee?.amount ?? 0),
    reporting_category: movement.reportingCategory,
    source: movement.source,
    status: atOnce ? 'available' : 'pending',
    type: movement.type,
  });
}
