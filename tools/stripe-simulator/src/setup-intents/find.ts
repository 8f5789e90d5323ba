import { StripeError, noSuch } from '../http/errors.js';
import { type World } from '../world.js';
import { type SetupIntent } from './setup-intent.js';
import { ALLOWED_FROM, type SetupOperation } from './transitions.js';

/** The intent of a path id (404) or of a parameter (400). */
export function setupById(world: World, id: string, param = 'id'): SetupIntent {
  const intent = world.setupIntents.get(id);
  if (intent === undefined) throw noSuch('setupintent', id, param);
  return intent;
}

const DOING: Readonly<Record<SetupOperation, string>> = { update: 'updated', confirm: 'confirmed', cancel: 'canceled' };

/** Refuses an operation that the intent's state does not allow, carrying the intent as Stripe does. */
export function mustAllow(operation: SetupOperation, intent: SetupIntent): void {
  if (ALLOWED_FROM[operation].includes(intent.status)) return;
  const allowed = ALLOWED_FROM[operation].join(', ');
  throw unexpectedState(
    `You cannot ${operation} this SetupIntent because it has a status of ${intent.status}. Only a SetupIntent with one of the following statuses may be ${DOING[operation]}: ${allowed}.`,
    intent,
  );
}

export function unexpectedState(message: string, intent: SetupIntent): StripeError {
  return new StripeError(400, {
    type: 'invalid_request_error',
    code: 'setup_intent_unexpected_state',
    doc_url: 'https://stripe.com/docs/error-codes/setup-intent-unexpected-state',
    message,
    setup_intent: intent,
  });
}
