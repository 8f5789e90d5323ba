import { type LateSuccess } from '@tidegate/contracts/checkout';
import { type LatePolicy, type Occurred } from './checkout.events.js';
import { factOf } from './checkout.facts.js';
import { type Call, type Checkout, type CheckoutState, type Lifecycle, noCheckout } from './checkout.state.js';

/** The state after one more event. */
export function evolve(state: CheckoutState, event: Occurred): Checkout {
  const next = apply(state, event);
  return { ...next, updated_at: event.at, published: next.published + (factOf(event) === null ? 0 : 1) };
}

export const replay = (events: readonly Occurred[], from: CheckoutState = noCheckout): CheckoutState =>
  events.reduce<CheckoutState>(evolve, from);

type Of<T extends Occurred['type']> = Extract<Occurred, { type: T }>;

function apply(state: CheckoutState, event: Occurred): Checkout {
  if (event.type === 'CheckoutAccepted') return accepted(event);
  if (state.kind === 'none') throw new Error(`Bug: ${event.type} before the checkout exists`);
  return applyToCheckout(state, event);
}

const LATE: Record<LatePolicy, LateSuccess> = { accept: 'accepted', refund: 'refunding', hold: 'held' };

function applyToCheckout(checkout: Checkout, event: Exclude<Occurred, Of<'CheckoutAccepted'>>): Checkout {
  switch (event.type) {
    case 'SessionSubmitted':
      return to(checkout, {
        status: 'opening',
        call: { ...again(checkout, event.data, event.at), expires_at: event.data.expires_at },
      });
    case 'SessionAnswerMissing':
    case 'ExpiryAnswerMissing':
      return withCall(checkout, { answer: 'missing', stored: event.data.stored });
    case 'SessionOpened':
      return {
        ...to(checkout, { status: 'open', stripe_session: event.data.stripe_session, url: event.data.url }),
        sessions: [...checkout.sessions, event.data.stripe_session],
      };
    case 'SessionRejected':
      return to(
        checkout,
        checkout.sessions.length === 0
          ? { status: 'failed', rejection: event.data.rejection }
          : { status: 'expired', stripe_session: checkout.sessions.at(-1) ?? null },
      );
    case 'SessionNotOpened':
      return to(checkout, { status: 'expired', stripe_session: checkout.sessions.at(-1) ?? null });
    case 'ExpirySubmitted':
      return closing(checkout, event);
    case 'SessionExpired':
      return to(checkout, { status: 'expired', stripe_session: event.data.stripe_session });
    case 'WindowExtended':
      return {
        ...to(checkout, { status: 'opening', call: { ...fresh(event.data.command_id, event.at), expires_at: event.data.expires_at } }),
        window_ends_at: event.data.until,
      };
    case 'CheckoutCompleted':
      return completed(checkout, event);
    case 'PaymentSettled':
      // What never arrived was no success.
      return withComplete(checkout, { payment: event.data.payment, ...(event.data.payment === 'failed' && { late: null }) });
    case 'LateSuccessDecided':
      return withComplete(checkout, { late: event.data.action === 'accept' ? 'accepted' : 'refunding' });
    case 'LateSuccessRefunded':
      return withComplete(checkout, { late: 'refunded' });
    case 'CommandAccepted':
      return { ...checkout, pending: event.data.command_id };
    case 'CommandCompleted':
      return checkout.pending === event.data.command_id ? { ...checkout, pending: null } : checkout;
    default:
      return event satisfies never;
  }
}

function accepted({ data, at }: Of<'CheckoutAccepted'>): Checkout {
  return {
    kind: 'checkout',
    terms: data.terms,
    lifecycle: { status: 'opening', call: { ...fresh(data.command_id, at), expires_at: data.expires_at } },
    window_ends_at: data.window_ends_at,
    payment_id: null,
    payment_intent: null,
    sessions: [],
    pending: data.command_id,
    published: 0,
    created_at: at,
    updated_at: at,
  };
}

function closing(checkout: Checkout, { data, at }: Of<'ExpirySubmitted'>): Checkout {
  const { lifecycle } = checkout;
  const url = 'url' in lifecycle ? lifecycle.url : null;
  const { command_id, n, stripe_session, cause, until } = data;
  return to(checkout, { status: 'closing', stripe_session, url, call: again(checkout, { command_id, n }, at), cause, until });
}

function completed(checkout: Checkout, { data }: Of<'CheckoutCompleted'>): Checkout {
  const late = data.late === null ? null : LATE[data.late];
  return {
    ...to(checkout, { status: 'complete', stripe_session: data.stripe_session, payment: data.payment, late }),
    payment_id: data.payment_id,
    payment_intent: data.payment_intent,
  };
}

const to = (checkout: Checkout, lifecycle: Lifecycle): Checkout => ({ ...checkout, lifecycle });

const fresh = (command_id: string, at: string): Call => ({ command_id, n: 1, since: at, answer: 'awaited', stored: false });

/** The same key keeps the time of its first use. */
function again({ lifecycle }: Checkout, { command_id, n }: { command_id: string; n: number }, at: string): Call {
  const known = 'call' in lifecycle && lifecycle.call.command_id === command_id && lifecycle.call.n === n ? lifecycle.call : null;
  return { command_id, n, since: known?.since ?? at, answer: 'awaited', stored: false };
}

function withCall(checkout: Checkout, change: Pick<Call, 'answer' | 'stored'>): Checkout {
  const { lifecycle } = checkout;
  if (lifecycle.status === 'opening') return to(checkout, { ...lifecycle, call: { ...lifecycle.call, ...change } });
  if (lifecycle.status === 'closing') return to(checkout, { ...lifecycle, call: { ...lifecycle.call, ...change } });
  return checkout;
}

function withComplete(checkout: Checkout, change: { payment?: 'paid' | 'failed'; late?: LateSuccess | null }): Checkout {
  return checkout.lifecycle.status === 'complete' ? to(checkout, { ...checkout.lifecycle, ...change }) : checkout;
}
