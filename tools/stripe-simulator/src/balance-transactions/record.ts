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
  const { amount, currency, fee, exchangeRate } = settled(world, movement);
  const { atOnce } = movement;
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
    exchange_rate: exchangeRate,
    fee: fee?.amount ?? 0,
    fee_details: fee === undefined ? [] : [{ ...fee, application: null, currency, type: 'stripe_fee' }],
    net: amount - (fee?.amount ?? 0),
    reporting_category: movement.reportingCategory,
    source: movement.source,
    status: atOnce ? 'available' : 'pending',
    type: movement.type,
  });
}

/** In the balance's currency. What was converted one way comes back as the same amount. */
function settled(
  world: World,
  { amount, currency, fee }: Movement,
): Pick<Movement, 'amount' | 'currency' | 'fee'> & { exchangeRate: number | null } {
  const { settlement } = world.settings;
  const rate = settlement?.rates[currency];
  if (settlement === null || settlement.currency === currency || rate === undefined)
    return { amount, currency, ...(fee && { fee }), exchangeRate: null };
  const converted = (minor: number): number => Math.sign(minor) * Math.round(Math.abs(minor) * rate);
  return {
    amount: converted(amount),
    currency: settlement.currency,
    ...(fee && { fee: { ...fee, amount: converted(fee.amount) } }),
    exchangeRate: rate,
  };
}
