import { StripeError } from '../http/errors.js';
import { behaviourOf, usablePaymentMethod } from '../payment-methods/use.js';
import { type World } from '../world.js';

/** `error_if_incomplete`: throws 402 beforehand for a method that would not pay at once, so that nothing comes into being. */
export function mustBeChargeable(world: World, id: string): void {
  const behaviour = behaviourOf(usablePaymentMethod(world, id, world.paymentMethods.get(id)?.customer ?? undefined));
  if (behaviour.kind === 'decline') {
    throw new StripeError(402, {
      type: 'card_error',
      code: behaviour.code,
      decline_code: behaviour.declineCode,
      message: behaviour.message,
    });
  }
  if (behaviour.kind === 'authenticate') {
    throw new StripeError(402, {
      type: 'card_error',
      code: 'subscription_payment_intent_requires_action',
      message: 'Payment for this subscription requires additional user action before it can be completed successfully.',
    });
  }
}
