import { type CheckoutSession, type IntentStatus } from '@tidegate/stripe-gateway/intent';
import { type StripeOutcome } from '@tidegate/stripe-gateway/port';
import { type MissingCause, type Rejection } from '../payment/payment.events.js';
import { foreignPaymentId } from '../idempotency/identity.js';
import { type CheckoutEvent, type ExpiryCause, type LatePolicy, type SessionPayment } from './checkout.events.js';
import { illegalState, windowEnded } from './checkout.refusals.js';
import { type Call, callIdOf, type Checkout, sessionOf } from './checkout.state.js';
import { expiresAtFor, isOver, isSendable } from './window.decide.js';

/** A page as Stripe shows it. `completedAt`: when the payer was through, RFC 3339. */
export interface Truth {
  session: Pick<CheckoutSession, 'id' | 'status' | 'payment_intent'> & { expires_at?: number };
  payment: SessionPayment;
  completedAt: string;
  /** Of an expired one: pages of the same checkout from a time whose record a restore has lost. */
  lost?: readonly CheckoutSession[];
}

/** Stripe keeps keys for 24 hours at least. */
const KEY_LIFE_MS = 23 * 3_600_000;

/** Events of the answer to the call that opens a page; none when the call certainly had no effect, null when it is not the call that stands there. */
export function decideOpenAnswer(checkout: Checkout, callId: string, outcome: StripeOutcome<CheckoutSession>): CheckoutEvent[] | null {
  if (callIdOf(checkout) !== callId || checkout.lifecycle.status !== 'opening') return null;
  const { command_id, n } = checkout.lifecycle.call;
  switch (outcome.kind) {
    case 'ok':
      return opened(checkout, outcome.value);
    case 'declined':
    case 'rejected':
      return rejected(checkout, { code: 'payments.rejected_by_stripe', detail: `${outcome.code}: ${outcome.message}` });
    case 'not_found':
      return rejected(checkout, { code: 'not_found', detail: 'There is no such customer.' });
    case 'unknown':
      return [{ type: 'SessionAnswerMissing', data: { command_id, n, cause: outcome.cause, stored: outcome.stored } }];
    case 'in_use':
    case 'limited':
    case 'auth':
    case 'refused':
      return [];
    default:
      return outcome satisfies never;
  }
}

/** What a complete list says about a call without an answer: the page that it made, or the next try. */
export function decideFound(checkout: Checkout, found: readonly CheckoutSession[], now: Date): CheckoutEvent[] | null {
  const { lifecycle, sessions, window_ends_at } = checkout;
  if (lifecycle.status !== 'opening') return null;
  const { command_id } = lifecycle.call;
  const isOwn = ({ metadata }: CheckoutSession) => metadata['command_id'] === command_id;
  const usable = usableOf(
    checkout,
    found.toSorted((a, b) => Number(isOwn(b)) - Number(isOwn(a))),
  );
  if (!usable)
    return decideNoPage(
      checkout,
      now,
      found.some((one) => !sessions.includes(one.id)),
    );
  if (sessions.length === 0 || isOwn(usable)) return opened(checkout, usable);
  // A payer was sent to it when the window was extended, and the record of that is lost: it is in the way of a fresh one like any other, and may have been paid.
  const data = { command_id, n: 1, stripe_session: usable.id, cause: 'extension', until: window_ends_at } as const;
  return [pageOpened(usable), { type: 'ExpirySubmitted', data }];
}

/** The page of those that were found that counts, beside those that are known. */
export function usableOf({ sessions }: Checkout, found: readonly CheckoutSession[]): CheckoutSession | undefined {
  const fresh = found.filter((one) => !sessions.includes(one.id));
  return fresh.find((one) => one.status === 'complete') ?? fresh.find((one) => one.status === 'open');
}

/** No page came of the call so far. `spent`: it did, and that page is gone, so that its key will not make another. */
export function decideNoPage(checkout: Checkout, now: Date, spent = false): CheckoutEvent[] | null {
  if (checkout.lifecycle.status !== 'opening') return null;
  if (isOver(checkout.window_ends_at, now)) return [{ type: 'SessionNotOpened', data: {} }, ...answered(checkout, windowEnded)];
  const { call } = checkout.lifecycle;
  const next = spent || isUsedUp(call, now) || !isSendable(call.expires_at, now);
  const { command_id } = call;
  const data = next
    ? { command_id, n: call.n + 1, expires_at: expiresAtFor(checkout.window_ends_at, now) }
    : { command_id, n: call.n, expires_at: call.expires_at };
  return [{ type: 'SessionSubmitted', data }];
}

/** Whether the committed call would be refused by now. */
export const isTooLate = (checkout: Checkout, now: Date): boolean =>
  checkout.lifecycle.status === 'opening' && (isOver(checkout.window_ends_at, now) || !isSendable(checkout.lifecycle.call.expires_at, now));

/** The holder before vanished with this call possibly out. */
export function decideInterrupted(checkout: Checkout, callId: string): CheckoutEvent[] | null {
  const { lifecycle } = checkout;
  if (callIdOf(checkout) !== callId || !('call' in lifecycle)) return null;
  return [missing(lifecycle.status, lifecycle.call, 'interrupted', false)];
}

/** The window is over: Stripe is asked to close the page. */
export function decideOverdue(checkout: Checkout, now: Date): CheckoutEvent[] | null {
  const { lifecycle, window_ends_at } = checkout;
  if (lifecycle.status !== 'open' || !isOver(window_ends_at, now)) return null;
  const { stripe_session } = lifecycle;
  const command_id = `${stripe_session}:window`;
  return [{ type: 'ExpirySubmitted', data: { command_id, n: 1, stripe_session, cause: 'window', until: null } }];
}

/** Events of the answer to the call that closes a page, as for the one that opens it. A refusal says only that Stripe must be asked how the page stands. */
export function decideExpireAnswer(
  checkout: Checkout,
  callId: string,
  outcome: StripeOutcome<CheckoutSession>,
  now: Date,
): CheckoutEvent[] | null {
  if (callIdOf(checkout) !== callId || checkout.lifecycle.status !== 'closing') return null;
  const { call } = checkout.lifecycle;
  switch (outcome.kind) {
    case 'ok':
      return outcome.value.status === 'expired' ? expired(checkout, now) : [missing('closing', call, 'bad_body', true)];
    case 'declined':
    case 'rejected':
      return [missing('closing', call, 'key_conflict', true)];
    case 'not_found':
      return [missing('closing', call, 'not_found', true)];
    case 'unknown':
      return [missing('closing', call, outcome.cause, outcome.stored)];
    case 'in_use':
    case 'limited':
    case 'auth':
    case 'refused':
      return [];
    default:
      return outcome satisfies never;
  }
}

/** What a look at the page adds; null when it is not the page that counts. A page that was paid is never taken for closed, whatever we had asked for. */
export function decideTruth(checkout: Checkout, truth: Truth, now: Date, policy: LatePolicy): CheckoutEvent[] | null {
  if (truth.session.id !== sessionOf(checkout)) return null;
  switch (truth.session.status) {
    case 'open':
      return stillOpen(checkout, now);
    case 'expired': {
      const next = usableOf(checkout, truth.lost ?? []);
      if (next && checkout.lifecycle.status !== 'complete') return succeeded(checkout, next);
      return checkout.lifecycle.status === 'open' || checkout.lifecycle.status === 'closing' ? expired(checkout, now, truth) : [];
    }
    case 'complete':
      return completed(checkout, truth, policy);
    default:
      return truth.session.status satisfies never;
  }
}

/** Whether a time is after the end of the window, or of the one that was asked for before the page was paid. RFC 3339. */
export function isAfterWindow({ lifecycle, window_ends_at }: Checkout, at: string): boolean {
  const until = lifecycle.status === 'closing' && lifecycle.until !== null ? lifecycle.until : window_ends_at;
  return Date.parse(at) > Date.parse(until);
}

/** How the money of a completed page stands. An intent back at its start means that the delayed method failed. */
export function paymentOf(session: Pick<CheckoutSession, 'payment_status'>, intent: { status: IntentStatus } | null): SessionPayment {
  if (session.payment_status === 'no_payment_required') return 'none';
  if (session.payment_status === 'paid' || intent?.status === 'succeeded') return 'paid';
  return intent?.status === 'requires_payment_method' || intent?.status === 'canceled' ? 'failed' : 'awaited';
}

const opened = (checkout: Checkout, session: CheckoutSession): CheckoutEvent[] => [pageOpened(session), ...answered(checkout, null)];

const pageOpened = ({ id: stripe_session, url, expires_at }: CheckoutSession): CheckoutEvent => ({
  type: 'SessionOpened',
  data: { stripe_session, url, expires_at },
});

/** The window was extended in a time whose record is lost: that page counts now, and is what a request that waits was about. */
function succeeded(checkout: Checkout, next: CheckoutSession): CheckoutEvent[] {
  const { lifecycle } = checkout;
  const command_id = next.metadata['command_id'] ?? '';
  const until = new Date(next.expires_at * 1000).toISOString();
  const events: CheckoutEvent[] = [{ type: 'WindowExtended', data: { command_id, until, expires_at: next.expires_at } }, pageOpened(next)];
  if (lifecycle.status === 'expired') return events;
  events.unshift({ type: 'SessionExpired', data: { stripe_session: sessionOf(checkout) ?? '', cause: 'extension' } });
  if (lifecycle.status !== 'closing' || lifecycle.cause === 'window') return events;
  if (lifecycle.call.command_id === command_id) return [...events, ...answered(checkout, null)];
  const { call, cause, until: wanted } = lifecycle;
  const data = { command_id: call.command_id, n: call.n + 1, stripe_session: next.id, cause, until: wanted };
  return [...events, { type: 'ExpirySubmitted', data }];
}

const rejected = (checkout: Checkout, rejection: Rejection): CheckoutEvent[] => [
  { type: 'SessionRejected', data: { rejection } },
  ...answered(checkout, rejection),
];

function stillOpen(checkout: Checkout, now: Date): CheckoutEvent[] {
  const { lifecycle } = checkout;
  if (lifecycle.status !== 'closing' || lifecycle.call.answer !== 'missing') return [];
  const { call, stripe_session, cause, until } = lifecycle;
  const n = isUsedUp(call, now) ? call.n + 1 : call.n;
  return [{ type: 'ExpirySubmitted', data: { command_id: call.command_id, n, stripe_session, cause, until } }];
}

function expired(checkout: Checkout, now: Date, truth?: Truth): CheckoutEvent[] {
  const { lifecycle } = checkout;
  const stripe_session = sessionOf(checkout) ?? '';
  const closing = lifecycle.status === 'closing' ? lifecycle : null;
  const gone: CheckoutEvent = { type: 'SessionExpired', data: { stripe_session, cause: closing?.cause ?? causeOf(checkout, now, truth) } };
  if (!closing || closing.until === null) return [gone, ...answered(checkout, null)];
  if (isOver(closing.until, now))
    return [{ ...gone, data: { ...gone.data, cause: 'window' } } as CheckoutEvent, ...answered(checkout, windowEnded)];
  const { until, call } = closing;
  return [gone, { type: 'WindowExtended', data: { command_id: call.command_id, until, expires_at: expiresAtFor(until, now) } }];
}

/** Nobody here has asked for it: Stripe's own clock, or a person in the dashboard. */
function causeOf(checkout: Checkout, now: Date, truth?: Truth): ExpiryCause {
  const byStripe = truth?.session.expires_at !== undefined && truth.session.expires_at * 1000 <= now.getTime() + 5000;
  return byStripe || isOver(checkout.window_ends_at, now) ? 'window' : 'requested';
}

function completed(checkout: Checkout, { session, payment, completedAt }: Truth, policy: LatePolicy): CheckoutEvent[] {
  const { lifecycle } = checkout;
  if (lifecycle.status === 'complete') {
    const news = lifecycle.payment === 'awaited' && (payment === 'paid' || payment === 'failed');
    return news ? [{ type: 'PaymentSettled', data: { payment } }] : [];
  }
  const late = lifecycle.status === 'expired' || isAfterWindow(checkout, completedAt);
  return [
    {
      type: 'CheckoutCompleted',
      data: {
        stripe_session: session.id,
        payment_id: session.payment_intent === null ? null : foreignPaymentId(null, session.id),
        payment_intent: session.payment_intent,
        payment,
        completed_at: completedAt,
        late: late && payment !== 'failed' ? policy : null,
      },
    },
    ...answered(checkout, illegalState(lifecycle.status === 'closing' && lifecycle.until !== null ? 'extended' : 'expired', 'complete')),
  ];
}

/** The certain outcome for whoever waits for one. */
const answered = ({ pending }: Checkout, rejection: Rejection | null): CheckoutEvent[] =>
  pending === null ? [] : [{ type: 'CommandCompleted', data: { command_id: pending, rejection } }];

const isUsedUp = (call: Call, now: Date): boolean => call.stored || now.getTime() - Date.parse(call.since) >= KEY_LIFE_MS;

const missing = (status: 'opening' | 'closing', { command_id, n }: Call, cause: MissingCause, stored: boolean): CheckoutEvent => ({
  type: status === 'opening' ? 'SessionAnswerMissing' : 'ExpiryAnswerMissing',
  data: { command_id, n, cause, stored },
});
