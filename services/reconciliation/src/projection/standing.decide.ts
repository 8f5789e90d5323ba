import type { NormalizedStripeEvent } from '@tidegate/contracts/events/stripe-event';

type StripeObject = NormalizedStripeEvent['object'];

/** Kinds of objects that the projection keeps. */
export const KEPT_OBJECTS = ['payment_intent', 'charge', 'refund'] as const;

/**
 * Where a snapshot stands among all snapshots of its object; the highest one is the truth, compared as (standing, as_of, status_rank, event_id).
 * `standing` grows when the object reaches a state that it never leaves for a lower one; between states that may come and go, time decides; within
 * one second (Stripe's times are whole seconds), the usual order of the states.
 */
export interface Standing {
  standing: number;
  status_rank: number;
}

const INTENT: Record<string, Standing> = {
  requires_payment_method: { standing: 0, status_rank: 0 },
  requires_confirmation: { standing: 0, status_rank: 1 },
  requires_action: { standing: 0, status_rank: 2 },
  processing: { standing: 0, status_rank: 3 },
  requires_capture: { standing: 1, status_rank: 4 },
  canceled: { standing: 2, status_rank: 5 },
  succeeded: { standing: 2, status_rank: 6 },
};

/** A succeeded refund may still fail, days later; a failed one never succeeds. */
const REFUND: Record<string, Standing> = {
  pending: { standing: 0, status_rank: 0 },
  requires_action: { standing: 0, status_rank: 1 },
  succeeded: { standing: 1, status_rank: 2 },
  canceled: { standing: 2, status_rank: 3 },
  failed: { standing: 2, status_rank: 4 },
};

const UNKNOWN: Standing = { standing: 0, status_rank: 0 };

export function standingOf(object: StripeObject): Standing {
  switch (object.object) {
    case 'payment_intent':
      return INTENT[object.status ?? ''] ?? UNKNOWN;
    case 'refund':
      return REFUND[object.status ?? ''] ?? UNKNOWN;
    case 'charge':
      return chargeStanding(object);
    default:
      return UNKNOWN;
  }
}

/** A charge is pending, then failed or succeeded, then captured, and from then on only its refunds move, which may shrink when one fails. */
function chargeStanding(charge: StripeObject): Standing {
  const settled = charge.status === 'succeeded' || charge.status === 'failed' ? 1 : 0;
  const captured = (charge.amount_captured ?? 0) > 0 ? 1 : 0;
  return { standing: settled + captured, status_rank: (charge.amount_refunded ?? 0) > 0 ? 1 : 0 };
}
