import { type StoredEvent } from '@tidegate/event-store/event';
import { evolve } from './payment.evolve.js';
import { noPayment, type Payment, type PaymentState } from './payment.state.js';
import { toOccurred } from './payment.store.js';
import { summaryOf } from './payment.summary.js';

/** One line of `GET /v1/payments/{id}/events`. `summary` is for people, `type` and `data` are for programs. */
export interface TimelineEntry {
  type: string;
  at: string;
  summary: string;
  data: Record<string, unknown>;
}

/** All that happened to a payment, oldest first, from its whole stream. */
export function timelineOf(events: readonly StoredEvent[]): TimelineEntry[] {
  let state: PaymentState = noPayment;
  return events.map((stored) => {
    const before = state;
    const event = toOccurred(stored);
    const after = evolve(before, event) as Payment;
    state = after;
    return { type: event.type, at: event.at, summary: summaryOf(event, before, after), data: shown(event.data, after) };
  });
}

/** Of the terms only the amount: the rest stands in the payment itself. */
function shown(data: object, { terms }: Payment): Record<string, unknown> {
  const { terms: own, ...rest } = data as Record<string, unknown>;
  return own === undefined ? rest : { ...rest, amount: terms.amount, currency: terms.currency };
}
