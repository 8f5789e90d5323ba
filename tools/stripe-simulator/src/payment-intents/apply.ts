import { type Cause } from '../http/call.js';
import { type World } from '../world.js';
import { type PaymentIntent } from './payment-intent.js';
import { OUTCOMES, type Outcome, type OutcomeName } from './transitions.js';

/** Stores the intent in the state of an outcome and emits exactly the outcome's events. */
export function applyOutcome(world: World, name: OutcomeName, intent: PaymentIntent, cause: Cause): PaymentIntent {
  const outcome: Outcome = OUTCOMES[name];
  const next = { ...intent, status: outcome.status };
  const stored = world.paymentIntents.get(intent.id) === undefined ? world.paymentIntents.insert(next) : world.paymentIntents.replace(next);
  for (const type of outcome.events) world.events.emit(type, type.startsWith('charge.') ? chargeOf(world, stored) : stored, cause);
  world.intentChanges.tell(stored, cause);
  return world.paymentIntents.get(stored.id) ?? stored;
}

function chargeOf(world: World, intent: PaymentIntent): object {
  const charge = intent.latest_charge === null ? undefined : world.charges.get(intent.latest_charge);
  if (charge === undefined) throw new Error(`Bug: ${intent.id} has no charge to tell about`);
  return charge;
}
