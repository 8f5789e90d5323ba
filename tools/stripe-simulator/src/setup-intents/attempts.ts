import { type PaymentMethod } from '../payment-methods/payment-method.js';
import { type World } from '../world.js';
import { type SetupAttempt, type SetupIntent } from './setup-intent.js';

/** Writes one try to set a method up, as the intent's latest. Gives the intent that names it. */
export function recordAttempt(
  world: World,
  intent: SetupIntent,
  method: PaymentMethod,
  status: SetupAttempt['status'],
  error?: object,
): SetupIntent {
  const attempt = world.setupAttempts.insert({
    id: world.ids.next('setatt'),
    object: 'setup_attempt',
    application: null,
    created: world.clock.nowSeconds(),
    customer: intent.customer,
    customer_account: null,
    flow_directions: null,
    livemode: false,
    on_behalf_of: null,
    payment_method: method.id,
    payment_method_details: detailsOf(method),
    setup_error: error ?? null,
    setup_intent: intent.id,
    status,
    usage: intent.usage,
  });
  return { ...intent, latest_attempt: attempt.id };
}

/** How the attempt that waits for an action has ended. */
export function finishAttempt(world: World, intent: SetupIntent, status: SetupAttempt['status'], error?: object): void {
  const attempt = world.setupAttempts.get(intent.latest_attempt ?? '');
  if (attempt?.status === 'requires_action') world.setupAttempts.replace({ ...attempt, status, setup_error: error ?? null });
}

function detailsOf(method: PaymentMethod): object {
  if (method.type !== 'card') return { type: method.type, [method.type]: {} };
  const { brand, country, exp_month, exp_year, fingerprint, funding, last4 } = method.card;
  const checks = { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' };
  const card = { brand, checks, country, exp_month, exp_year, fingerprint, funding, last4 };
  return { card: { ...card, network: brand, three_d_secure: null, wallet: null }, type: 'card' };
}
