import { type StripeEventAbout } from '@tidegate/contracts/events/stripe-event';
import { type CheckoutEvent, type LatePolicy } from './checkout.events.js';
import { type Checkout, sessionOf } from './checkout.state.js';
import { decideTruth, isAfterWindow, type Truth } from './session.decide.js';

/** `refresh`: ask Stripe how the page stands. `alarm`: money came in by a page that should not have taken any. */
export interface Meaning {
  events: CheckoutEvent[];
  refresh: boolean;
  alarm: boolean;
}

const nothing: Meaning = { events: [], refresh: false, alarm: false };
const ask: Meaning = { ...nothing, refresh: true };

export interface Rules {
  policy: LatePolicy;
  /** The checkout is from before a restore, which may have lost what became of it. */
  restored: boolean;
}

/** What one Stripe event adds to a checkout. Order and repetition do not matter: complete and expired are final, and what is not sure is asked for. */
export function decideNews(
  checkout: Checkout,
  event: StripeEventAbout<'checkout.session'>,
  now: Date,
  { policy, restored }: Rules,
): Meaning {
  const { object } = event;
  if (object.id !== sessionOf(checkout)) {
    // The page of the call whose answer is missing, perhaps, or of one whose record is lost.
    const { status } = checkout.lifecycle;
    const mayBeLost = restored && status !== 'complete' && sessionOf(checkout) !== null;
    if ((status === 'opening' || mayBeLost) && !checkout.sessions.includes(object.id)) return ask;
    return { ...nothing, alarm: object.status === 'complete' };
  }
  if (event.hint) return ask;
  switch (event.type) {
    case 'checkout.session.completed':
      return seen(checkout, event, 'complete', now, policy);
    case 'checkout.session.expired':
      return restored ? ask : seen(checkout, event, 'expired', now, policy);
    case 'checkout.session.async_payment_succeeded':
    case 'checkout.session.async_payment_failed':
      return settled(checkout, event.type === 'checkout.session.async_payment_succeeded' ? 'paid' : 'failed');
    default:
      return ask;
  }
}

/** Stripe makes an event within seconds of what it tells. */
const TOLD_WITHIN_MS = 30_000;

/** When the payer was through, a delivered event says by its own time, which is a little later. Where that could make it too late, only the charge says: Stripe is asked. */
function seen(
  checkout: Checkout,
  event: StripeEventAbout<'checkout.session'>,
  status: 'complete' | 'expired',
  now: Date,
  policy: LatePolicy,
): Meaning {
  const { object, created } = event;
  const completedAt = new Date(created * 1000).toISOString();
  const isOpen = checkout.lifecycle.status === 'open' || checkout.lifecycle.status === 'closing';
  const earliest = new Date(created * 1000 - TOLD_WITHIN_MS).toISOString();
  const mayBeInTime = isAfterWindow(checkout, completedAt) && !isAfterWindow(checkout, earliest);
  if (status === 'complete' && isOpen && object.payment_intent !== null && mayBeInTime) return ask;
  const truth: Truth = {
    session: { id: object.id, status, payment_intent: object.payment_intent },
    payment: object.payment_status === 'paid' ? 'paid' : object.payment_status === 'no_payment_required' ? 'none' : 'awaited',
    completedAt,
  };
  const events = decideTruth(checkout, truth, now, policy) ?? [];
  // A fresh page is to be opened, or a late success to be given back: somebody must do it.
  return { events, refresh: events.some((one) => one.type === 'WindowExtended' || one.type === 'CheckoutCompleted'), alarm: false };
}

function settled({ lifecycle }: Checkout, payment: 'paid' | 'failed'): Meaning {
  if (lifecycle.status !== 'complete') return ask;
  if (lifecycle.payment !== 'awaited') return nothing;
  return { events: [{ type: 'PaymentSettled', data: { payment } }], refresh: lifecycle.late === 'refunding', alarm: false };
}
