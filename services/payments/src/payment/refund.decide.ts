import { RefundId } from '@tidegate/contracts/ids';
import { type Refund as StripeRefund } from '@tidegate/stripe-gateway/intent';
import { isRelease } from '@tidegate/stripe-gateway/release';
import { type StripeFailure, type StripeOutcome } from '@tidegate/stripe-gateway/outcome';
import { type Failure, type MissingCause, type Occurred, type PaymentEvent, type SettledRefund } from './payment.events.js';
import { replay } from './payment.evolve.js';
import { capturedOf, type Payment, type Refund, refundedOf, releasedOf } from './payment.state.js';

const KEY_LIFE_MS = 23 * 3_600_000;

/** What the answer to the refund call means; no events: it certainly had no effect. */
export function decideRefundAnswer(payment: Payment, refund: Refund, outcome: StripeOutcome<StripeRefund>): PaymentEvent[] {
  switch (outcome.kind) {
    case 'ok': {
      const events = [...recordedIfNew(refund, outcome.value), completed(refund)];
      // Another one has failed, and its news is still on the way: the list tells both.
      return overdraws(payment, events) ? [answerMissing(refund, 'overdrawn', false)] : events;
    }
    case 'declined':
    case 'rejected':
      return rejected(refund, outcome);
    case 'not_found':
      // Of another account, perhaps, which says nothing about an earlier call that had no answer.
      return refund.status === 'unknown' ? [answerMissing(refund, 'not_found', false)] : rejected(refund, outcome);
    case 'unknown':
      return [answerMissing(refund, outcome.cause, outcome.stored)];
    case 'in_use':
    case 'limited':
    case 'auth':
    case 'refused':
      return [];
    default:
      return outcome satisfies never;
  }
}

/** Unless Stripe's news told of it meanwhile: then there is one, whatever a call is told. */
const rejected = (refund: Refund, outcome: Rejection): PaymentEvent[] =>
  isCertain(refund)
    ? [completed(refund)]
    : [{ type: 'RefundRejected', data: { refund_id: refund.id, failure: failureOf(outcome) } }, completed(refund)];

/**
 * A refund as Stripe tells it, from a webhook or a list, of a payment that is known to be captured. A status is never taken back, except that a refund given up as not
 * executed may yet appear. What only released the rest of an authorization gives nothing back.
 */
export function observeRefund(payment: Payment, seen: StripeRefund, idForForeign: string): PaymentEvent[] {
  const known = knownRefund(payment, seen);
  if (!known) {
    if (isRelease(seen) && seen.amount <= releasedOf(payment)) return [];
    const ours = ownIds(payment, seen);
    return [recorded(ours?.refund_id ?? idForForeign, seen, ours?.command_id)];
  }
  return recordedIfNew(known, seen);
}

/** A refund that carries our ids was ours before a restore of the database; it keeps them, so that its request finds it again. */
function ownIds({ terms }: Payment, { metadata }: StripeRefund): { refund_id: string; command_id?: string } | null {
  const { refund_id, payment_id, command_id } = metadata;
  if (!refund_id || !RefundId.safeParse(refund_id).success || payment_id !== terms.payment_id) return null;
  return { refund_id, ...(command_id === undefined ? {} : { command_id }) };
}

/** More would be given back than was captured: Stripe never does, so these facts are not all. */
export function overdraws(payment: Payment, events: readonly PaymentEvent[]): boolean {
  const after = followedBy(payment, events);
  return refundedOf(after) > capturedOf(after);
}

/** The payment as it will be. */
export const followedBy = (payment: Payment, events: readonly PaymentEvent[]): Payment =>
  replay(
    events.map((event) => ({ ...event, at: payment.updated_at }) as Occurred),
    payment,
  ) as Payment;

export const hasFailed = (seen: StripeRefund): boolean => settled(seen) === 'failed';

/** What a complete list of the intent's refunds says about ours. `repeat`: call again with the same key. `behind`: the list is not all yet, ask for it again. */
export type RefundLookup = { kind: 'settled'; events: PaymentEvent[] } | { kind: 'repeat' } | { kind: 'behind' };

/** Whether the complete list of the intent's refunds has ours: its facts, or what its absence means; nothing once Stripe's news told of it after the list. */
export function decideRefundLookup(
  payment: Payment,
  refund: Refund,
  list: readonly StripeRefund[],
  { now, absenceMs }: { now: Date; absenceMs: number },
): RefundLookup {
  const found = list.find((one) => one.metadata['refund_id'] === refund.id);
  if (found) return foundAmong(list, found, payment, refund);
  if (isCertain(refund)) return { kind: 'settled', events: [completed(refund)] };
  if (!refund.stored && now.getTime() - Date.parse(refund.submitted_at) < KEY_LIFE_MS) return { kind: 'repeat' };
  if (refund.not_seen_at === null) return { kind: 'settled', events: [{ type: 'RefundNotSeen', data: { refund_id: refund.id } }] };
  if (now.getTime() - Date.parse(refund.not_seen_at) < absenceMs) return { kind: 'settled', events: [] };
  return { kind: 'settled', events: [{ type: 'RefundNotExecuted', data: { refund_id: refund.id } }, completed(refund)] };
}

/** With it go those that have failed since: what they free may be what ours gives back. */
function foundAmong(list: readonly StripeRefund[], found: StripeRefund, payment: Payment, refund: Refund): RefundLookup {
  const failed = list.filter((one) => hasFailed(one)).map((seen) => ({ seen, known: knownRefund(payment, seen) }));
  const freed = failed.flatMap(({ seen, known }) => (known && known !== refund ? recordedIfNew(known, seen) : []));
  const events = [...freed, ...recordedIfNew(refund, found), completed(refund)];
  return overdraws(payment, events) ? { kind: 'behind' } : { kind: 'settled', events };
}

/** Still needs a call, a look-up or its answer. */
export const isOpen = (refund: Refund): boolean => !refund.completed;

/** A webhook told the outcome before the call did. */
export const isCertain = (refund: Refund): boolean => refund.status !== 'requested' && refund.status !== 'unknown';

export const completed = (refund: Refund): PaymentEvent => ({ type: 'RefundCompleted', data: { refund_id: refund.id } });

/** A refund that only Stripe knows of is matched by its Stripe id. */
export const knownRefund = (payment: Payment, seen: Pick<StripeRefund, 'id' | 'metadata'>): Refund | undefined =>
  payment.refunds.find((refund) => refund.id === seen.metadata['refund_id']) ??
  payment.refunds.find((refund) => refund.stripe_refund === seen.id);

const RANK = { requested: 0, unknown: 1, pending: 2, succeeded: 3, failed: 4 } as const;

function advances(known: Refund, status: SettledRefund): boolean {
  if (known.status === 'failed') return known.stripe_refund === null && status !== 'failed';
  return RANK[status] > RANK[known.status];
}

const answerMissing = (refund: Refund, cause: MissingCause, stored: boolean): PaymentEvent => ({
  type: 'RefundAnswerMissing',
  data: { refund_id: refund.id, cause, stored },
});

/** A webhook may have told more than this answer already. */
const recordedIfNew = (known: Refund, seen: StripeRefund): PaymentEvent[] =>
  advances(known, settled(seen)) ? [recorded(known.id, seen)] : [];

const recorded = (refund_id: string, seen: StripeRefund, command_id?: string): PaymentEvent => ({
  type: 'RefundRecorded',
  data: {
    refund_id,
    stripe_refund: seen.id,
    status: settled(seen),
    amount: seen.amount,
    reason: seen.reason,
    ...(command_id === undefined ? {} : { command_id }),
    ...(hasFailed(seen) && seen.failure_reason !== null ? { failure_reason: seen.failure_reason } : {}),
  },
});

function settled({ status }: StripeRefund): SettledRefund {
  if (status === 'succeeded') return 'succeeded';
  return status === 'failed' || status === 'canceled' ? 'failed' : 'pending';
}

type Rejection = Extract<StripeFailure, { kind: 'declined' | 'rejected' | 'not_found' }>;

function failureOf(outcome: Rejection): Failure {
  const code = outcome.kind === 'not_found' ? 'not_found' : (outcome.code ?? 'rejected');
  return { code, decline_code: outcome.kind === 'declined' ? outcome.declineCode : null, message: outcome.message };
}
