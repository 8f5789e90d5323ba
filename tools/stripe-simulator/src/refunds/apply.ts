import { type Cause } from '../http/call.js';
import { type World } from '../world.js';
import { type Refund, isBankRefund } from './refund.js';
import { OUTCOMES, type RefundOutcome, type RefundOutcomeName } from './transitions.js';

/** Stores the refund in the state of an outcome and emits exactly the outcome's events. */
export function applyOutcome(world: World, name: RefundOutcomeName, refund: Refund, cause: Cause): Refund {
  const { status, events }: RefundOutcome = OUTCOMES[name];
  const before = world.refunds.get(refund.id);
  const next = { ...refund, status: status ?? refund.status };
  const stored = before === undefined ? world.refunds.insert(next) : world.refunds.replace(next);
  for (const type of events) {
    if (type === 'charge.refunded') world.events.emit(type, chargeOf(world, stored), cause);
    else world.events.emit(type, stored, cause, before);
    if (type === 'refund.updated' && isBankRefund(stored)) world.events.emit('charge.refund.updated', stored, cause, before);
  }
  return stored;
}

function chargeOf(world: World, refund: Refund): object {
  const charge = world.charges.get(refund.charge);
  if (charge === undefined) throw new Error(`Bug: ${refund.id} has no charge`);
  return charge;
}
