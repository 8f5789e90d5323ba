import type { PaymentStatus, RefundStatus } from '@tidegate/contracts/payment';

/** What payments may say while Stripe says this of the intent. `unknown` and `queued` agree with nothing: they are to be resolved. */
const PAYMENT: Record<string, readonly PaymentStatus[]> = {
  requires_payment_method: ['requires_payment_method'],
  requires_confirmation: ['requires_payment_method'],
  requires_action: ['requires_action'],
  processing: ['processing'],
  requires_capture: ['authorized'],
  succeeded: ['succeeded'],
  canceled: ['canceled', 'failed'],
};

const REFUND: Record<string, readonly RefundStatus[]> = {
  pending: ['pending'],
  requires_action: ['pending'],
  succeeded: ['succeeded'],
  failed: ['failed'],
  canceled: ['failed'],
};

/** Whether a payment's status is what the status of its intent lets one expect. A status that Stripe invents later agrees with nothing. */
export const paymentAgrees = (recorded: string, intentStatus: string): boolean =>
  (PAYMENT[intentStatus] ?? []).includes(recorded as PaymentStatus);

export const refundAgrees = (recorded: string, refundStatus: string): boolean =>
  (REFUND[refundStatus] ?? []).includes(recorded as RefundStatus);

/** Whether money moved, is held or may move by itself: an intent in any other state is an empty shell. */
export const hasEffect = (intentStatus: string): boolean => ['processing', 'requires_capture', 'succeeded'].includes(intentStatus);

/** Whether a payment in this state must have an intent at Stripe. A failed, canceled or queued one may never have got that far. */
export const needsIntent = (recorded: string): boolean => !['queued', 'canceled', 'failed'].includes(recorded);

/** Whether a refund in this state must exist at Stripe. */
export const needsRefund = (recorded: string): boolean => recorded !== 'failed';

/** The same as pairs (ours, Stripe's), for questions to the database. */
export const agreedPayments: readonly (readonly [string, string])[] = pairsOf(PAYMENT);
export const agreedRefunds: readonly (readonly [string, string])[] = pairsOf(REFUND);

function pairsOf(agreed: Readonly<Record<string, readonly string[]>>): (readonly [string, string])[] {
  return Object.entries(agreed).flatMap(([stripes, ours]) => ours.map((one) => [one, stripes] as const));
}
