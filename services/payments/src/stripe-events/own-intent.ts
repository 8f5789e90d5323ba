import { type Intent } from '@tidegate/stripe-gateway/intent';
import { type StripeFailure } from '@tidegate/stripe-gateway/port';
import { byUse } from '../payment/intent.decide.js';
import { type IntentFinder } from '../payment/intent-finder.js';

/** Further intents of a payment are made while its first call may be repeated, so all are made within this. Seconds. */
const AROUND = 48 * 3600;

/**
 * The intent that stands for the payment whose id this one carries, where that payment is not known. One that was canceled as one too many says nothing about it: the
 * payment has another, which may have been paid.
 */
export async function ownIntent(
  finder: Pick<IntentFinder, 'find'>,
  intent: Intent,
): Promise<{ kind: 'ok'; value: Intent } | StripeFailure> {
  const { payment_id } = intent.metadata;
  if (!payment_id || intent.status !== 'canceled' || intent.cancellation_reason !== 'duplicate') return { kind: 'ok', value: intent };
  const { created } = intent;
  const window = { from: created - AROUND, to: created + AROUND };
  const found = await finder.find({ paymentId: payment_id, ...window, calledBefore: new Date(created * 1000) });
  if (found.kind !== 'ok') return found;
  const [own] = found.value.filter(({ status }) => status !== 'canceled').toSorted(byUse);
  return { kind: 'ok', value: own ?? intent };
}
