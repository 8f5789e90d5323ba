import { type DisputeFunds, type DisputeStatus, DISPUTE_STATUSES } from '@tidegate/contracts/payment';
import { type Dispute as StripeDispute } from '@tidegate/stripe-gateway/intent';
import { type OpenedDispute, type PaymentEvent } from './payment.events.js';
import { type Dispute, type Payment } from './payment.state.js';

/** A dispute as Stripe showed it at some moment, from an event or a list. */
export interface SeenDispute {
  id: string;
  status: string;
  amount: number;
  currency: string;
  reason: string | null;
  charge: string | null;
  /** Epoch seconds. */
  due_by: number | null;
  created: number;
  /** How many balance transactions it had; they are only ever added. */
  movements: number;
  funds: DisputeFunds | null;
}

/**
 * The facts that a sight of a dispute adds. Status and movements only grow in the course of a dispute, so whatever the order, each joins by itself: a status
 * advances in rank, figures come from the sight with the most movements, and won or lost is never left.
 */
export function observeDispute(payment: Payment, seen: SeenDispute): PaymentEvent[] {
  const known = payment.disputes.find((one) => one.id === seen.id);
  if (known) return advance(known, seen);
  const opened = openedBy(seen);
  return [{ type: 'DisputeOpened', data: { dispute: opened } }, ...advance(asOpened(opened), seen)];
}

/** Amount, reason or deadline are others than we know, in the same status: no order tells which are newer, so only an answer of Stripe's counts. */
export function hasOtherDetails(payment: Payment, seen: SeenDispute): boolean {
  const known = payment.disputes.find((one) => one.id === seen.id);
  return known !== undefined && rankOf(known.status) === rankOf(statusIn(seen)) && !sameDetails(known, detailsOf(seen));
}

/** The same for an answer of Stripe's, which tells how it is now. */
export function followDispute(payment: Payment, seen: SeenDispute): PaymentEvent[] {
  const events = observeDispute(payment, seen);
  if (!hasOtherDetails(payment, seen)) return events;
  const { status } = payment.disputes.find((one) => one.id === seen.id) as Dispute;
  return [...events, { type: 'DisputeUpdated', data: { dispute_id: seen.id, status, ...detailsOf(seen) } }];
}

export function seenDispute(raw: StripeDispute): SeenDispute {
  const { balance_transactions: movements } = raw;
  const total = (take: (movement: (typeof movements)[number]) => number) => movements.reduce((sum, movement) => sum + take(movement), 0);
  return {
    id: raw.id,
    status: raw.status,
    amount: raw.amount,
    currency: raw.currency,
    reason: raw.reason,
    charge: raw.charge,
    due_by: raw.evidence_details.due_by,
    created: raw.created,
    movements: movements.length,
    funds: movements[0]
      ? {
          currency: movements[0].currency,
          withdrawn: total(({ amount }) => Math.max(0, -amount)),
          reinstated: total(({ amount }) => Math.max(0, amount)),
          fee: total(({ fee }) => fee),
        }
      : null,
  };
}

const RANK: Readonly<Record<DisputeStatus, number>> = {
  warning_needs_response: 0,
  warning_under_review: 1,
  // An inquiry that was closed can still become a chargeback.
  warning_closed: 2,
  needs_response: 3,
  under_review: 4,
  appeal_needs_response: 5,
  appeal_under_review: 6,
  prevented: 7,
  won: 8,
  lost: 8,
};

export const rankOf = (status: DisputeStatus): number => RANK[status];

/** An inquiry asks, and no money moves; a chargeback has taken it. */
export const isInquiry = (status: DisputeStatus): boolean => status.startsWith('warning_');

/** Nothing more is expected. */
export const isClosed = (status: DisputeStatus): boolean => ['warning_closed', 'prevented', 'won', 'lost'].includes(status);

/** The one that matters now: an open one before those that are over, then the newest. */
export function currentDispute<D extends Pick<Dispute, 'status' | 'created_at'>>(disputes: readonly D[]): D | undefined {
  const newestFirst = disputes.toSorted((a, b) => (a.created_at < b.created_at ? 1 : -1));
  return newestFirst.find(({ status }) => !isClosed(status)) ?? newestFirst[0];
}

export const asOpened = (opened: OpenedDispute): Dispute => ({ ...opened, funds: null, movements: 0 });

function advance(known: Dispute, seen: SeenDispute): PaymentEvent[] {
  const events: PaymentEvent[] = [];
  const moved = seen.movements > known.movements ? seen.funds : null;
  const before = known.funds ?? { withdrawn: 0, reinstated: 0 };
  const movements = seen.movements;
  if (moved && moved.withdrawn > before.withdrawn)
    events.push({
      type: 'DisputeFundsWithdrawn',
      data: { dispute_id: known.id, funds: { ...moved, reinstated: before.reinstated }, movements },
    });
  const status = statusIn(seen);
  if (rankOf(status) > rankOf(known.status)) events.push(statusChange(known.id, status, seen));
  if (moved && (moved.reinstated > before.reinstated || moved.withdrawn <= before.withdrawn))
    events.push({ type: 'DisputeFundsReinstated', data: { dispute_id: known.id, funds: moved, movements } });
  return events;
}

const statusChange = (dispute_id: string, status: DisputeStatus, seen: SeenDispute): PaymentEvent =>
  isClosed(status)
    ? { type: 'DisputeClosed', data: { dispute_id, status, ...detailsOf(seen) } }
    : { type: 'DisputeUpdated', data: { dispute_id, status, ...detailsOf(seen) } };

/** A dispute that is over already was opened, too. */
function openedBy(seen: SeenDispute): OpenedDispute {
  const status = statusIn(seen);
  const { id, currency, charge, created } = seen;
  return {
    id,
    status: isClosed(status) ? (isInquiry(status) ? 'warning_needs_response' : 'needs_response') : status,
    ...detailsOf(seen),
    currency,
    charge,
    created_at: toTime(created),
  };
}

/** Stripe may come to know further ones: they are taken for the review of their kind. */
function statusIn({ status }: SeenDispute): DisputeStatus {
  const known = DISPUTE_STATUSES.find((one) => one === status);
  return known ?? (status.startsWith('warning_') ? 'warning_under_review' : 'under_review');
}

const detailsOf = ({ amount, reason, due_by }: SeenDispute) => ({
  amount,
  reason,
  respond_by: due_by === null ? null : toTime(due_by),
});

const sameDetails = (known: Dispute, { amount, reason, respond_by }: ReturnType<typeof detailsOf>): boolean =>
  known.amount === amount && known.reason === reason && known.respond_by === respond_by;

const toTime = (seconds: number): string => new Date(seconds * 1000).toISOString();
