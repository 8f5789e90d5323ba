import { type DisputeFunds, type DisputeStatus } from '@tidegate/contracts/payment';
import { formatAmount } from '@tidegate/money/amount';
import { isInquiry } from './dispute.decide.js';
import { type DisputeEvent, type OpenedDispute } from './payment.events.js';
import { type Dispute, type Payment } from './payment.state.js';

export const isDisputeEvent = <E extends { type: string }>(event: E): event is Extract<E, DisputeEvent> => event.type.startsWith('Dispute');

/** A fact of a dispute in plain words. */
export function summaryOfDispute(event: DisputeEvent, before: Payment, after: Payment): string {
  switch (event.type) {
    case 'DisputeOpened':
      return opened(event.data.dispute);
    case 'DisputeUpdated':
      return updated(find(before, event.data.dispute_id), find(after, event.data.dispute_id));
    case 'DisputeFundsWithdrawn':
      return `${money(event.data.funds.withdrawn, event.data.funds)} was taken for the dispute${fee(event.data.funds)}.`;
    case 'DisputeFundsReinstated':
      return event.data.funds.reinstated > (find(before, event.data.dispute_id).funds?.reinstated ?? 0)
        ? `${money(event.data.funds.reinstated, event.data.funds)} that was taken for the dispute came back.`
        : `Stripe's fee for the dispute is ${money(event.data.funds.fee, event.data.funds)} now.`;
    case 'DisputeClosed':
      return CLOSED[event.data.status] ?? 'The dispute is over.';
    default:
      return event satisfies never;
  }
}

const CLOSED: Partial<Record<DisputeStatus, string>> = {
  won: 'The dispute was won: the money comes back.',
  lost: 'The dispute was lost: the customer keeps the money. This is final.',
  warning_closed: "The bank's inquiry was closed; no money was taken.",
  prevented: 'The dispute was prevented before it became a chargeback.',
};

function opened({ status, amount, currency, reason, respond_by }: OpenedDispute): string {
  const sum = formatAmount(BigInt(amount), currency);
  const why = reason === null ? '' : ` (reason: ${reason})`;
  return isInquiry(status)
    ? `The customer's bank asks about ${sum} of this payment${why}. No money has moved.${until(respond_by)}`
    : `The customer's bank charges ${sum} of this payment back${why}.${until(respond_by)}`;
}

function updated(before: Dispute, after: Dispute): string {
  if (before.status === after.status)
    return `The dispute is about ${formatAmount(BigInt(after.amount), after.currency)} now.${until(after.respond_by)}`;
  if (isInquiry(before.status) && !isInquiry(after.status)) return `The inquiry became a chargeback.${until(after.respond_by)}`;
  if (after.status.endsWith('under_review')) return 'The evidence was submitted; the bank decides.';
  return `The bank wants a response.${until(after.respond_by)}`;
}

const until = (respond_by: string | null): string =>
  respond_by === null ? '' : ` Evidence can be submitted in Stripe's dashboard until ${respond_by}.`;

const fee = (funds: DisputeFunds): string => (funds.fee > 0 ? `, and ${money(funds.fee, funds)} as Stripe's fee` : '');

const money = (amount: number, { currency }: DisputeFunds): string => formatAmount(BigInt(amount), currency);

function find({ disputes }: Payment, id: string): Dispute {
  const found = disputes.find((one) => one.id === id);
  if (!found) throw new Error(`Bug: dispute ${id} was never opened`);
  return found;
}
