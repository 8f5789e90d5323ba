import { type Cause } from '../http/call.js';
import { StripeError } from '../http/errors.js';
import { completeAuthentication } from '../payment-intents/authentication.js';
import { cancelIntent } from '../payment-intents/cancel.js';
import { intentById } from '../payment-intents/find.js';
import { refundCharge } from '../refunds/create.js';
import { completeSetup } from '../setup-intents/confirm.js';
import { setupById } from '../setup-intents/find.js';
import { type World } from '../world.js';
import { type Body, chargeOf, choice, map, text, wholeAmount } from './body.js';
import { payCheckoutAction } from './checkout.js';
import { type ControlAnswer } from './control.js';
import { closeDisputeAction, disputeAction } from './disputes.js';
import { payoutAction } from './payouts.js';
import { rotateSecretAction } from './rotate-secret.js';
import { editObject } from './edit.js';

type Action = (world: World, body: Body, cause: Cause) => object;

/** What a person does in the dashboard; `silent: true` changes state without an event. */
const ACTIONS: Readonly<Record<string, Action>> = {
  refund: (world, body, cause) => {
    const charge = chargeOf(world, body);
    const amount = wholeAmount(body['amount']);
    const reason = choice(body, 'reason', ['duplicate', 'fraudulent', 'requested_by_customer'] as const);
    const metadata = body['metadata'] as Record<string, string> | undefined;
    return refundCharge(
      world,
      charge,
      { ...(amount !== undefined && { amount }), ...(reason !== undefined && { reason }), ...(metadata && { metadata }) },
      cause,
    );
  },
  cancel: (world, body, cause) =>
    cancelIntent(
      world,
      intentById(world, text(body, 'payment_intent'), 'payment_intent'),
      (body['reason'] as string | undefined) ?? null,
      cause,
    ),
  complete_action: (world, body, cause) => {
    const passed = body['outcome'] !== 'fail';
    return body['setup_intent'] === undefined
      ? completeAuthentication(world, intentById(world, text(body, 'payment_intent'), 'payment_intent'), passed, cause)
      : completeSetup(world, setupById(world, text(body, 'setup_intent'), 'setup_intent'), passed ? 'passed' : 'failed', cause);
  },
  dispute: disputeAction,
  close_dispute: closeDisputeAction,
  payout: payoutAction,
  pay_checkout: payCheckoutAction,
  rotate_secret: rotateSecretAction,
  edit: (world, body, cause) => editObject(world, text(body, 'id'), map(body, 'changes'), cause),
};

export function dashboardControl(world: World, action: string, body: unknown): ControlAnswer {
  const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (act === undefined)
    return { status: 404, value: { error: `No dashboard action ${action}; known are ${Object.keys(ACTIONS).join(', ')}.` } };
  const given = (typeof body === 'object' && body !== null ? body : {}) as Body;
  const cause = { requestId: world.ids.next('req'), idempotencyKey: null, silent: given['silent'] === true };
  const answer = answerOf(() => act(world, given, cause));
  world.selfCheck?.action(action, answer);
  return answer;
}

function answerOf(act: () => object): ControlAnswer {
  try {
    return { status: 200, value: act() };
  } catch (error) {
    if (error instanceof StripeError) return { status: error.status, value: { error: error.body } };
    throw error;
  }
}
