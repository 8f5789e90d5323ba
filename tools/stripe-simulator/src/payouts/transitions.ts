import { type PayoutStatus } from './payout.js';

export type PayoutOperation = 'cancel' | 'send' | 'arrive' | 'fail';

/** Which states allow which operation. A payout that shows paid can still fail. Metadata may change in every state. */
export const ALLOWED_FROM: Readonly<Record<PayoutOperation, readonly PayoutStatus[]>> = {
  cancel: ['pending'],
  send: ['pending'],
  arrive: ['pending', 'in_transit'],
  fail: ['pending', 'in_transit', 'paid'],
};

export interface PayoutOutcome {
  /** The state afterwards; without it the state stays. */
  readonly status?: PayoutStatus;
  readonly events: readonly `payout.${string}`[];
}

/** What can come of an operation: the state afterwards and the exact events. */
export const OUTCOMES = {
  created: { status: 'pending', events: ['payout.created'] },
  changed: { events: ['payout.updated'] },
  sent: { status: 'in_transit', events: ['payout.updated'] },
  reconciled: { events: ['payout.reconciliation_completed'] },
  paid: { status: 'paid', events: ['payout.paid'] },
  failed: { status: 'failed', events: ['payout.failed'] },
  canceled: { status: 'canceled', events: ['payout.canceled'] },
} as const satisfies Readonly<Record<string, PayoutOutcome>>;

export type PayoutOutcomeName = keyof typeof OUTCOMES;
