import { recordBalance } from '../balance-transactions/record.js';
import { type CaptureMethod } from '../payment-intents/payment-intent.js';
import { type World } from '../world.js';
import { type Charge } from './charge.js';

export const SETTLE_CHARGE = 'charge.settle';

/**
 * Lets the balance transaction of a captured charge appear: at once for `automatic`, else later with a `charge.updated`
 * (asynchronous capture).
 */
export function settle(world: World, charge: Charge, method: CaptureMethod): void {
  if (method === 'automatic') {
    world.charges.replace({ ...charge, balance_transaction: recordBalance(world, charge).id });
    return;
  }
  const late = world.faults.takeLate('late_balance');
  world.scheduler.schedule(late?.ms ?? world.settings.balanceDelayMs, { kind: SETTLE_CHARGE, id: charge.id });
}

/** The scheduled second half of an asynchronous capture. */
export function settleNow(world: World, id: string): void {
  const charge = world.charges.get(id);
  if (charge === undefined || charge.balance_transaction !== null) return;
  const settled = world.charges.replace({ ...charge, balance_transaction: recordBalance(world, charge).id });
  world.events.emit('charge.updated', settled, undefined, charge);
}
