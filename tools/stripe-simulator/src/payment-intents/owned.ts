import { refused } from '../http/errors.js';
import { type World } from '../world.js';
import { type PaymentIntent } from './payment-intent.js';

/**
 * An intent that Checkout made may be cancelled directly only while it is authorized; else its session must be expired. The intent of
 * an invoice goes with the invoice.
 */
export function mustBeCancellableDirectly(world: World, intent: PaymentIntent): PaymentIntent {
  const owner = world.intentOwners.get(intent.id);
  if (owner?.session !== undefined && intent.status !== 'requires_capture') {
    throw refused(
      `You cannot cancel this PaymentIntent directly because it was created by a Checkout Session. Expire the session ${owner.session} instead.`,
      'payment_intent_unexpected_state',
      { payment_intent: intent },
    );
  }
  if (owner?.invoice !== undefined) {
    throw refused(
      `You cannot cancel this PaymentIntent directly because it was created by an invoice. Void the invoice ${owner.invoice} instead.`,
      'payment_intent_unexpected_state',
      { payment_intent: intent },
    );
  }
  return intent;
}
