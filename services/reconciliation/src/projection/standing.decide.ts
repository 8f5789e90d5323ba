import type { StripeObject, StripeObjectKind } from '@tidegate/contracts/events/stripe-event';

type Of<K extends StripeObjectKind> = Extract<StripeObject, { object: K }>;

/**
 * Where a snapshot stands among all snapshots of its object; the highest one is the truth, compared as (standing, as_of, status_rank, amount_refunded,
 * event_id).
 * `standing` grows when the object reaches a state that it never leaves for a lower one; between states that may come and go, time decides; within
 * one second (Stripe's times are whole seconds), the usual order of the states, then how much was refunded. Subscriptions, invoices and customers come and go
 * in everything, so they were retrieved after the event and only time decides.
 */
export interface Standing {
  standing: number;
  status_rank: number;
}

/** `requires_confirmation` is only told of an intent that was just made. */
const INTENT: Record<string, Standing> = {
  requires_confirmation: { standing: 0, status_rank: 0 },
  requires_payment_method: { standing: 0, status_rank: 1 },
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

/** In the order in which disputes go; an inquiry that was closed can still become a chargeback. */
const DISPUTE = ordered(
  'warning_needs_response',
  'warning_under_review',
  'warning_closed',
  'needs_response',
  'under_review',
  'appeal_needs_response',
  'appeal_under_review',
  'prevented',
  'lost',
  'won',
);

const CHECKOUT_SESSION = ordered('open', 'expired', 'complete');

/** One that is paid may fail days later. */
const PAYOUT = ordered('pending', 'in_transit', 'paid', 'canceled', 'failed');

const UNKNOWN: Standing = { standing: 0, status_rank: 0 };

/** Null for kinds that the projection does not keep. */
export function standingOf(object: StripeObject): Standing | null {
  switch (object.object) {
    case 'payment_intent':
      return INTENT[object.status ?? ''] ?? UNKNOWN;
    case 'refund':
      return REFUND[object.status ?? ''] ?? UNKNOWN;
    case 'charge':
      return chargeStanding(object);
    case 'dispute':
      // Money taken or brought back is news of its own, in the same status.
      return { standing: (DISPUTE[object.status ?? ''] ?? UNKNOWN).standing, status_rank: object.dispute.movements };
    case 'checkout.session':
      return {
        standing: (CHECKOUT_SESSION[object.status ?? ''] ?? UNKNOWN).standing,
        status_rank: object.payment_status === 'paid' ? 1 : 0,
      };
    case 'payout':
      return {
        standing: (PAYOUT[object.status ?? ''] ?? UNKNOWN).standing,
        status_rank: object.reconciliation_status === 'completed' ? 1 : 0,
      };
    case 'subscription':
      return UNKNOWN;
    case 'invoice':
    case 'customer':
      return { standing: object.deleted === true ? 1 : 0, status_rank: 0 };
    default:
      return null;
  }
}

/** Stripe's word for where the object is; of those that have none, whether it is there. */
export function statusOf(object: StripeObject): string | null {
  if (object.object === 'customer') return object.deleted === true ? 'deleted' : 'active';
  return object.object === 'invoice' && object.deleted ? 'deleted' : object.status;
}

export interface Amounts {
  amount: number | null;
  captured: number | null;
  refunded: number | null;
  currency: string | null;
}

export const amountsOf = (object: StripeObject): Amounts => ({
  amount: 'amount' in object ? object.amount : null,
  captured: 'amount_captured' in object ? object.amount_captured : null,
  refunded: 'amount_refunded' in object ? object.amount_refunded : null,
  currency: object.currency,
});

/**
 * A charge is pending, then failed or succeeded, then captured, and from then on only its refunds move, which may shrink when one fails. A bank debit that is
 * pending counts as captured already, and may still fail.
 */
function chargeStanding(charge: Of<'charge'>): Standing {
  const captured = (charge.amount_captured ?? 0) > 0;
  const standing = charge.status === 'failed' || (charge.status === 'succeeded' && captured) ? 2 : charge.status === 'succeeded' ? 1 : 0;
  return { standing, status_rank: (charge.amount_refunded ?? 0) > 0 ? 1 : 0 };
}

function ordered(...statuses: string[]): Record<string, Standing> {
  return Object.fromEntries(statuses.map((status, place) => [status, { standing: place, status_rank: place }]));
}
