import { StripeEventHandled } from '@tidegate/contracts/events/stripe-event-handled';
import { handledSubject } from '@tidegate/contracts/subjects';
import { type Handler, type Incoming, PermanentFailure } from '@tidegate/messaging/subscriber';
import type { WebhookMetrics, WebhookResult } from '../webhook-metrics.js';
import { recordOutcomes, type Report } from './outcome.store.js';

const COUNTED: readonly string[] = ['ignored', 'foreign', 'failed'] satisfies WebhookResult[];

/** Projects what payments or reconciliation made of Stripe's events; the other events of their streams are none of our business. */
export function outcomeConsumer(service: 'payments' | 'reconciliation', metrics: WebhookMetrics): Handler {
  const subject = handledSubject(service);
  const typeOf = new WeakMap<Incoming, string | null>();
  const projector: Handler = {
    projector: true,
    handle: (tx, message) => projector.handleAll!(tx, [message]),
    async handleAll(tx, messages) {
      const reports = messages.filter((message) => message.subject === subject).map((message) => ({ message, ...reportOf(message) }));
      if (reports.length === 0) return;
      const types = await recordOutcomes(tx, reports);
      for (const { message, report } of reports) typeOf.set(message, types.get(report.stripe_event_id) ?? null);
    },
    afterCommit(message) {
      if (message.subject !== subject || service !== 'payments') return;
      const { outcome } = message.envelope.data as StripeEventHandled;
      if (COUNTED.includes(outcome)) metrics.counted(typeOf.get(message) ?? null, outcome as WebhookResult);
    },
  };
  return projector;
}

/** Throws PermanentFailure for what is no report. */
export const reportOf = (message: Incoming): Report => ({ report: reportIn(message), at: new Date(message.envelope.occurred_at) });

function reportIn({ subject, envelope }: Incoming): StripeEventHandled {
  const report = StripeEventHandled.safeParse(envelope.data);
  if (!report.success) throw new PermanentFailure(`not a ${subject}: ${report.error.message}`);
  return report.data;
}
