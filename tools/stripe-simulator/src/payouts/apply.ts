import { type Cause } from '../http/call.js';
import { type World } from '../world.js';
import { type Payout } from './payout.js';
import { OUTCOMES, type PayoutOutcome, type PayoutOutcomeName } from './transitions.js';

/** Stores the payout in the state of an outcome and emits exactly the outcome's events. */
export function applyOutcome(world: World, name: PayoutOutcomeName, payout: Payout, cause: Cause): Payout {
  const { status, events }: PayoutOutcome = OUTCOMES[name];
  const before = world.payouts.get(payout.id);
  const next = { ...payout, status: status ?? payout.status };
  const stored = before === undefined ? world.payouts.insert(next) : world.payouts.replace(next);
  for (const type of events) world.events.emit(type, stored, cause, before);
  return stored;
}
