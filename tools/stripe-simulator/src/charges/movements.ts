import { type BalanceTransaction } from '../balance-transactions/balance-transaction.js';
import { recordMovement } from '../balance-transactions/record.js';
import { behaviourOf } from '../payment-methods/use.js';
import { type World } from '../world.js';
import { type Charge, isBankDebit } from './charge.js';

/** The captured amount less the processing fee. */
export function recordChargeBalance(world: World, charge: Charge): BalanceTransaction {
  const { feeBasisPoints, feeFixed } = world.settings;
  const fee = Math.round((charge.amount_captured * feeBasisPoints) / 10_000) + feeFixed;
  const method = world.paymentMethods.get(charge.payment_method);
  const behaviour = method && behaviourOf(method);
  return recordMovement(world, {
    amount: charge.amount_captured,
    fee: { amount: fee, description: 'Stripe processing fees' },
    currency: charge.currency,
    description: charge.description,
    source: charge.id,
    type: isBankDebit(charge) ? 'payment' : 'charge',
    reportingCategory: 'charge',
    atOnce: behaviour?.kind === 'success' && behaviour.bypassPending === true,
  });
}
