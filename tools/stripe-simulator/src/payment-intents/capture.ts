import { settle } from '../charges/settle.js';
import { type Call } from '../http/call.js';
import { invalidParam, refused } from '../http/errors.js';
import { recordRelease } from '../refunds/release.js';
import { checkedStep } from '../money/amounts.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type World } from '../world.js';
import { applyOutcome } from './apply.js';
import { intentById, mustAllow } from './find.js';
import { type PaymentIntent } from './payment-intent.js';

/** `POST …/capture`: takes all or, once, a part of the authorized amount; the rest is released. */
export function captureIntent(world: World, { id, params, cause }: Call): PaymentIntent {
  const intent = intentById(world, id);
  const amount = (params['amount_to_capture'] as number | undefined) ?? intent.amount_capturable;
  if (params['amount_to_capture'] !== undefined && amount < 1) {
    throw invalidParam('This value must be greater than or equal to 1.', 'amount_to_capture', 'parameter_invalid_integer');
  }
  if (params['final_capture'] === false) throw invalidParam('Multicapture is not available for this PaymentIntent.', 'final_capture');
  checkedStep(amount, intent.currency, 'amount_to_capture');
  mustAllow('capture', intent);
  if (amount > intent.amount_capturable) throw tooMuch(intent);
  const metadata = mergeMetadata(intent.metadata, params['metadata'] as Metadata | null | undefined);
  const authorized = world.charges.get(intent.latest_charge ?? '');
  if (authorized === undefined) throw new Error(`Bug: ${intent.id} is authorized without a charge`);
  const charge = world.charges.replace({
    ...authorized,
    captured: true,
    amount_captured: amount,
    amount_refunded: authorized.amount - amount,
    receipt_url: `${world.baseUrl}/__receipts/${authorized.id}`,
  });
  recordRelease(world, charge, authorized.amount - amount, null);
  settle(world, charge, 'automatic_async', cause);
  return applyOutcome(world, 'captured', { ...intent, metadata, amount_capturable: 0, amount_received: amount }, cause);
}

function tooMuch(intent: PaymentIntent): Error {
  return refused('The amount_to_capture must be less than or equal to the amount_capturable.', 'amount_too_large', {
    param: 'amount_to_capture',
    payment_intent: intent,
  });
}
