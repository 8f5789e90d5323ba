import { type Cause } from '../http/call.js';
import { type World } from '../world.js';
import { applyOutcome } from './apply.js';
import { finishAttempt } from './attempts.js';
import { mustAllow, unexpectedState } from './find.js';
import { type SetupIntent } from './setup-intent.js';

/** Cancels an intent that has not succeeded; a waiting attempt is abandoned. */
export function cancelSetup(world: World, intent: SetupIntent, reason: string | null, cause: Cause): SetupIntent {
  mustAllow('cancel', intent);
  finishAttempt(world, intent, 'abandoned');
  return applyOutcome(world, 'canceled', { ...intent, next_action: null, cancellation_reason: reason }, cause);
}

/** "You can't cancel the SetupIntent for a Checkout Session. Expire the Checkout Session instead." (API reference) */
export function mustBeCancellableDirectly(world: World, intent: SetupIntent): SetupIntent {
  const [session] = world.checkoutSessions.by('setup_intent', intent.id);
  if (session === undefined) return intent;
  throw unexpectedState(
    `You cannot cancel this SetupIntent directly because it was created by a Checkout Session. Expire the session ${session.id} instead.`,
    intent,
  );
}
