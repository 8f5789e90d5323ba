import { asOpened, rankOf } from './dispute.decide.js';
import { type DisputeEvent } from './payment.events.js';
import { type Dispute, type Payment } from './payment.state.js';

/** The payment after one more fact of a dispute. Ranks are kept here, too, whatever a decision made of an old view. */
export function evolveDispute(payment: Payment, event: DisputeEvent): Payment {
  switch (event.type) {
    case 'DisputeOpened':
      return payment.disputes.some((one) => one.id === event.data.dispute.id)
        ? payment
        : { ...payment, disputes: [...payment.disputes, asOpened(event.data.dispute)] };
    case 'DisputeFundsWithdrawn':
    case 'DisputeFundsReinstated': {
      const { funds, movements } = event.data;
      return change(payment, event.data.dispute_id, (dispute) => ({ ...dispute, funds, movements }));
    }
    case 'DisputeUpdated':
    case 'DisputeClosed': {
      const { status, amount, reason, respond_by } = event.data;
      return change(payment, event.data.dispute_id, (dispute) =>
        dispute.status !== status && rankOf(status) <= rankOf(dispute.status)
          ? dispute
          : { ...dispute, status, amount, reason, respond_by },
      );
    }
    default:
      return event satisfies never;
  }
}

const change = (payment: Payment, id: string, to: (dispute: Dispute) => Dispute): Payment => ({
  ...payment,
  disputes: payment.disputes.map((dispute) => (dispute.id === id ? to(dispute) : dispute)),
});
