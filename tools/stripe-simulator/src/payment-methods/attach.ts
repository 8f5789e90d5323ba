import { type Cause } from '../http/call.js';
import { StripeError } from '../http/errors.js';
import { type World } from '../world.js';
import { type PaymentMethod } from './payment-method.js';
import { type Behaviour } from './test-cards.js';
import { behaviourOf } from './use.js';

type Decline = Extract<Behaviour, { kind: 'decline' }>;

/** Saves a payment method to a customer; `payment_method.attached` tells it. Attached already, it stays as it is. */
export function attachMethod(world: World, method: PaymentMethod, customer: string, cause: Cause): PaymentMethod {
  if (method.customer === customer) return method;
  const attached = world.paymentMethods.replace({ ...method, customer });
  world.events.emit('payment_method.attached', attached, cause);
  return attached;
}

/** Why a card can't be saved: most declining test cards decline then already. */
export function declineOnSaving(method: PaymentMethod): Decline | undefined {
  const behaviour = behaviourOf(method);
  return behaviour.kind === 'decline' && !behaviour.attaches ? behaviour : undefined;
}

/** Throws 402 for a card that can't be saved. */
export function mustBeSavable(method: PaymentMethod): void {
  const decline = declineOnSaving(method);
  if (decline === undefined) return;
  const { code, declineCode, message } = decline;
  throw new StripeError(402, { type: 'card_error', code, decline_code: declineCode, message });
}
