import { StripeEventHandled } from '@tidegate/contracts/events/stripe-event-handled';
import { handledSubject } from '@tidegate/contracts/subjects';
import { type Handler, type Incoming, PermanentFailure } from '@tidegate/messaging/subscriber';
import type { WebhookMetrics, WebhookResult } from '../webhook-metrics.js';
import { recordOutcome } from './outcome.store.js';

const COUNTED: readonly string[] = ['ignored', 'foreign', 'failed'] satisfies WebhookResult[];

/** Projects what payments or reconciliation made of Stripe's events; the other events of their streams are none of our business. */
export function outcomeConsumer(service: 'payments' | 'reconciliation', metrics: WebhookMetrics): Handler {
  const subject = handledSubject(service);
  const typeOf = new WeakMap<Incoming, string | null>();
  return {
    projector: true,
    async handle(tx, message) {
      if (message.subject !== subject) return;
      typeOf.set(message, await recordOutcome(tx, reportIn(message), new Date(message.envelope.occurred_at)));
    },
    afterCommit(message) {
      if (message.subject !== subject || service !== 'payments') return;
      const { outcome } = message.envelope.data as StripeEventHandled;
      if (COUNTED.includes(outcome)) metrics.counted(typeOf.get(message) ?? null, outcome as WebhookResult);
    },
  };
}

/** Throws PermanentFailure for what is no report. */
export function reportIn({ subject, envelope }: Incoming): StripeEventHandled {
  const report = StripeEventHandled.safeParse(envelope.data);
  if (!report.success) throw new PermanentFailure(`not a ${subject}: ${report.error.message}`);
  return report.data;
}
