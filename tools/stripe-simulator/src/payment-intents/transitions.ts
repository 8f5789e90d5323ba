import { type IntentStatus } from './payment-intent.js';

export type IntentOperation = 'update_amount' | 'confirm' | 'capture' | 'cancel';

/**
 * Which states allow which operation; everywhere else it is refused with `payment_intent_unexpected_state`. A bank debit that is
 * processing has gone to the bank and can't be cancelled.
 */
export const ALLOWED_FROM: Readonly<Record<IntentOperation, readonly IntentStatus[]>> = {
  update_amount: ['requires_payment_method', 'requires_confirmation', 'requires_action'],
  confirm: ['requires_payment_method', 'requires_confirmation', 'requires_action'],
  capture: ['requires_capture'],
  cancel: ['requires_payment_method', 'requires_capture', 'requires_confirmation', 'requires_action'],
};

export type Subject = 'payment_intent' | 'charge';

export interface Outcome {
  readonly status: IntentStatus;
  /** The events of the transition, in the order in which they are emitted. The part before the first dot names the object. */
  readonly events: readonly `${Subject}.${string}`[];
  /** Whether a `charge.updated` follows when the balance transaction appears (asynchronous capture only). */
  readonly settles?: true;
}

/** What can come of an operation: the state afterwards and the exact events. */
export const OUTCOMES = {
  created: { status: 'requires_payment_method', events: ['payment_intent.created'] },
  created_with_method: { status: 'requires_confirmation', events: ['payment_intent.created'] },
  succeeded: { status: 'succeeded', events: ['charge.succeeded', 'payment_intent.succeeded'], settles: true },
  authorized: { status: 'requires_capture', events: ['charge.succeeded', 'payment_intent.amount_capturable_updated'] },
  declined: { status: 'requires_payment_method', events: ['charge.failed', 'payment_intent.payment_failed'] },
  action_required: { status: 'requires_action', events: ['payment_intent.requires_action'] },
  processing: { status: 'processing', events: ['charge.pending', 'payment_intent.processing'] },
  debit_failed: { status: 'requires_payment_method', events: ['charge.failed', 'payment_intent.payment_failed'] },
  authenticated: { status: 'requires_confirmation', events: [] },
  authentication_failed: { status: 'requires_payment_method', events: ['payment_intent.payment_failed'] },
  captured: { status: 'succeeded', events: ['charge.captured', 'payment_intent.succeeded'], settles: true },
  canceled: { status: 'canceled', events: ['payment_intent.canceled'] },
  released: { status: 'canceled', events: ['charge.refunded', 'payment_intent.canceled'] },
  expired: { status: 'canceled', events: ['charge.expired', 'payment_intent.canceled'] },
} as const satisfies Readonly<Record<string, Outcome>>;

export type OutcomeName = keyof typeof OUTCOMES;
