import { type PaymentEvent } from '../payment/payment.events.js';
import { type PaymentState } from '../payment/payment.state.js';

/** Why a payment stays in the queue: a call for it may have reached Stripe, or it waits for nothing. */
export type Kept = { kind: 'kept'; why: 'submitted' | 'settled' };

/** Takes a payment out of the queue for good. Only one that was never sent: whatever may have reached Stripe is carried on until it is certain. */
export function decideDeadLetter(state: PaymentState): { kind: 'canceled'; events: PaymentEvent[] } | Kept {
  if (state.kind === 'none' || state.pending === null) return { kind: 'kept', why: 'settled' };
  const { pending, lifecycle, intent_id } = state;
  if (lifecycle.status !== 'queued' || pending.submission !== null || intent_id !== null) return { kind: 'kept', why: 'submitted' };
  return {
    kind: 'canceled',
    events: [
      { type: 'PaymentCanceled', data: { reason: 'dead_lettered' } },
      { type: 'CommandCompleted', data: { command_id: pending.command_id, rejection: null } },
    ],
  };
}
