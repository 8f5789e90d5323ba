import { NormalizedStripeEvent } from '@tidegate/contracts/events/stripe-event';
import type { StripeEventHandled } from '@tidegate/contracts/events/stripe-event-handled';
import { handledSubject } from '@tidegate/contracts/subjects';
import { envelope, stage } from '@tidegate/messaging/outbox';
import { type Handler, type Incoming, PermanentFailure } from '@tidegate/messaging/subscriber';
import { scrub } from '@tidegate/telemetry/scrub';
import { currentTraceparent } from '@tidegate/telemetry/tracing';
import type { Transaction } from 'kysely';
import type { ReconciliationTables } from '../tables.js';
import { recordObject } from './stripe-object.store.js';

const SUBJECT = handledSubject('reconciliation');
export const CONSUMER = 'reconciliation-stripe-events';

export interface StripeEventsProjectorParts {
  livemode: boolean;
  /** After the commit of rows that were staged in the outbox. */
  staged(): void;
}

/** Projects Stripe's events and reports what became of each. */
export function stripeEventsProjector({ livemode, staged }: StripeEventsProjectorParts): Handler {
  return {
    projector: true,
    replays: 'again',
    async handle(tx, message) {
      const outcome = await project(tx, message, livemode);
      await report(tx, message, { outcome, reason: null });
    },
    gaveUp: (tx, message, reason) => report(tx, message, { outcome: 'failed', reason: scrub(reason) }),
    afterCommit: staged,
  };
}

/** The same without reports, for a rebuild: the past was reported when it happened. */
export function stripeEventsReplay(livemode: boolean): Handler {
  return {
    projector: true,
    replays: 'again',
    async handle(tx, message) {
      await project(tx, message, livemode);
    },
  };
}

async function project(
  tx: Transaction<ReconciliationTables>,
  message: Incoming,
  livemode: boolean,
): Promise<StripeEventHandled['outcome']> {
  const event = NormalizedStripeEvent.safeParse(message.envelope.data);
  if (!event.success) throw new PermanentFailure(`not a normalized Stripe event: ${event.error.message}`);
  if (event.data.livemode !== livemode || message.envelope.account !== null) return 'foreign';
  const kept = await recordObject(tx, event.data, { tenant: message.envelope.tenant, asOf: new Date(message.envelope.occurred_at) });
  return kept ? 'processed' : 'ignored';
}

async function report(
  tx: Transaction<ReconciliationTables>,
  { envelope: cause }: Incoming,
  result: Pick<StripeEventHandled, 'outcome' | 'reason'>,
): Promise<void> {
  const { stripe_event_id } = cause.data as Partial<NormalizedStripeEvent>;
  // What is no Stripe event at all, nobody can be told of.
  if (typeof stripe_event_id !== 'string') return;
  const data: StripeEventHandled = { stripe_event_id, consumer: CONSUMER, ...result };
  const handled = envelope(SUBJECT, {
    tenant: cause.tenant,
    aggregateId: stripe_event_id,
    aggregateVersion: 1,
    occurredAt: new Date(cause.occurred_at),
    correlationId: cause.correlation_id,
    causationId: cause.id,
    traceparent: currentTraceparent() ?? cause.traceparent,
    data,
  });
  await stage(tx, [{ aggregate: stripe_event_id, subject: SUBJECT, envelope: handled }]);
}
