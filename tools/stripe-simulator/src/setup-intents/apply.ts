import { type Cause } from '../http/call.js';
import { type World } from '../world.js';
import { type SetupIntent } from './setup-intent.js';
import { OUTCOMES, type SetupOutcomeName } from './transitions.js';

/** Stores the intent in the state of an outcome and emits exactly the outcome's events. */
export function applyOutcome(world: World, name: SetupOutcomeName, intent: SetupIntent, cause: Cause): SetupIntent {
  const { status, events } = OUTCOMES[name];
  const next = { ...intent, status };
  const stored = world.setupIntents.get(intent.id) === undefined ? world.setupIntents.insert(next) : world.setupIntents.replace(next);
  for (const type of events) world.events.emit(type, stored, cause);
  world.setupChanges.tell(stored, cause);
  return stored;
}
