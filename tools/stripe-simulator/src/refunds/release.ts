import { type Charge } from '../charges/charge.js';
import { type World } from '../world.js';
import { newRefund } from './new.js';

/** What was authorized and is not taken, as Stripe keeps it: a refund that moves no money. The charge counts it, and no event tells of it. */
export function recordRelease(world: World, charge: Charge, amount: number, reason: 'expired_uncaptured_charge' | null): void {
  if (amount === 0) return;
  const destination_details = { card: { type: 'reversal' }, type: 'card' };
  world.refunds.insert({ ...newRefund(world, charge, amount, {}), destination_details, reason, status: 'succeeded' });
}
