import { type RefundStatus } from './refund.js';

export type RefundOperation = 'cancel' | 'succeed' | 'fail';

/** Which states allow which operation. A refund that shows succeeded can still fail. Metadata may change in every state. */
export const ALLOWED_FROM: Readonly<Record<RefundOperation, readonly RefundStatus[]>> = {
  cancel: ['requires_action'],
  succeed: ['pending'],
  fail: ['pending', 'succeeded'],
};

export interface RefundOutcome {
  /** The state afterwards; without it the state stays. */
  readonly status?: RefundStatus;
  /** `charge.refunded` tells about the charge, the others about the refund. */
  readonly events: readonly ('charge.refunded' | `refund.${string}`)[];
}

/**
 * What can come of an operation: the state afterwards and the exact events. For refunds to bank accounts every `refund.updated`
 * has a `charge.refund.updated` beside it, which Stripe sends for some payment methods only.
 */
export const OUTCOMES = {
  created: { status: 'succeeded', events: ['refund.created', 'charge.refunded'] },
  created_pending: { status: 'pending', events: ['refund.created', 'charge.refunded'] },
  changed: { events: ['refund.updated'] },
  succeeded: { status: 'succeeded', events: ['refund.updated'] },
  failed: { status: 'failed', events: ['refund.updated', 'refund.failed'] },
} as const satisfies Readonly<Record<string, RefundOutcome>>;

export type RefundOutcomeName = keyof typeof OUTCOMES;
