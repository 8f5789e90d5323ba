import { type Cause } from '../http/call.js';
import { confirmSetup } from '../setup-intents/confirm.js';
import { createSetup } from '../setup-intents/create.js';
import { setupById } from '../setup-intents/find.js';
import { type SetupIntent } from '../setup-intents/setup-intent.js';
import { type World } from '../world.js';
import { AGREED } from './agreed.js';
import { completeSession } from './complete.js';
import { orderOf } from './find.js';
import { payUrl } from './new-session.js';
import { type CheckoutSession } from './session.js';

/** Setup mode: nothing is paid, the method is kept for later. The SetupIntent is made by the first attempt. */
export function setUp(world: World, session: CheckoutSession, method: string, cause: Cause): void {
  const intent = session.setup_intent === null ? newSetup(world, session, cause) : setupById(world, session.setup_intent);
  const params = { payment_method: method, mandate_data: AGREED, return_url: `${payUrl(world, session.id)}/return` };
  confirmSetup(world, intent, params, cause);
}

/** A setup that has succeeded completes its session. */
export function followSetup(world: World, intent: SetupIntent, cause: Cause): void {
  const [session] = world.checkoutSessions.by('setup_intent', intent.id);
  if (session?.status === 'open' && intent.status === 'succeeded') completeSession(world, session, 'no_payment_required', cause);
}

function newSetup(world: World, session: CheckoutSession, cause: Cause): SetupIntent {
  const params = {
    ...orderOf(world, session).setupIntentData,
    usage: 'off_session',
    ...(session.customer !== null && { customer: session.customer }),
  };
  const intent = createSetup(world, { cause, id: '', params, apiVersion: world.settings.accountApiVersion });
  world.checkoutSessions.replace({ ...session, setup_intent: intent.id });
  return intent;
}
