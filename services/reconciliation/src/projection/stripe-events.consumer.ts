import { NormalizedStripeEvent } from '@tidegate/contracts/events/stripe-event';
import type { StripeEventHandled } from '@tidegate/contracts/events/stripe-event-handled';
import { handledSubject } from '@tidegate/contracts/subjects';
import { envelope, type OutboxMessage, stage } from '@tidegate/messaging/outbox';
import { type Handler, type Incoming, PermanentFailure } from '@tidegate/messaging/subscriber';
import { scrub } from '@tidegate/telemetry/scrub';
import { currentTraceparent } from '@tidegate/telemetry/tracing';
import type { Transaction } from 'kysely';
import type { ReconciliationTables } from '../tables.js';
import { isKept, recordObjects } from './stripe-object.store.js';

const SUBJECT = handledSubject('reconciliation');
export const CONSUMER = 'reconciliation-stripe-events';

export interface StripeEventsProjectorParts {
  livemode: boolean;
  /** After the commit of rows that were staged in the outbox. */
  staged(): void;
}

/** Projects Stripe's events and reports what became of each. */
export function stripeEventsProjector({ livemode, staged }: StripeEventsProjectorParts): Handler {
  const projector: Handler = {
    projector: true,
    replays: 'again',
    handle: (tx, message) => projector.handleAll!(tx, [message]),
    async handleAll(tx, messages) {
      const outcomes = await project(tx, messages, livemode);
      await report(
        tx,
        messages.map((message, n) => ({ message, outcome: outcomes[n]!, reason: null })),
      );
    },
    gaveUp: (tx, message, reason) => report(tx, [{ message, outcome: 'failed', reason: scrub(reason) }]),
    afterCommit: staged,
  };
  return projector;
}

/** The same without reports, for a rebuild: the past was reported when it happened. */
export function stripeEventsReplay(livemode: boolean): Handler {
  const projector: Handler = {
    projector: true,
    replays: 'again',
    handle: (tx, message) => projector.handleAll!(tx, [message]),
    handleAll: async (tx, messages) => void (await project(tx, messages, livemode)),
  };
  return projector;
}

/** Answers what became of each, in their order. Throws PermanentFailure. */
async function project(
  tx: Transaction<ReconciliationTables>,
  messages: readonly Incoming[],
  livemode: boolean,
): Promise<StripeEventHandled['outcome'][]> {
  const told = messages.map(({ envelope }) => ({
    event: eventIn(envelope),
    tenant: envelope.tenant,
    asOf: new Date(envelope.occurred_at),
  }));
  const isForeign = told.map(({ event }, n) => event.livemode !== livemode || messages[n]!.envelope.account !== null);
  await recordObjects(
    tx,
    told.filter((_, n) => !isForeign[n]),
  );
  return told.map(({ event }, n) => (isForeign[n] ? 'foreign' : isKept(event) ? 'processed' : 'ignored'));
}

function eventIn({ data }: Incoming['envelope']): NormalizedStripeEvent {
  const event = NormalizedStripeEvent.safeParse(data);
  if (!event.success) throw new PermanentFailure(`not a normalized Stripe event: ${event.error.message}`);
  return event.data;
}

interface Report extends Pick<StripeEventHandled, 'outcome' | 'reason'> {
  message: Incoming;
}

async function report(tx: Transaction<ReconciliationTables>, reports: readonly Report[]): Promise<void> {
  await stage(
    tx,
    reports.flatMap((one) => reported(one) ?? []),
  );
}

/** Null for what is no Stripe event at all: nobody can be told of it. */
function reported({ message: { envelope: cause }, ...result }: Report): OutboxMessage | null {
  const { stripe_event_id } = cause.data as Partial<NormalizedStripeEvent>;
  if (typeof stripe_event_id !== 'string') return null;
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
  return { aggregate: stripe_event_id, subject: SUBJECT, envelope: handled };
}
