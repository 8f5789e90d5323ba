import type { StripeEventHandled } from '@tidegate/contracts/events/stripe-event-handled';
import type { Kysely, Transaction } from 'kysely';
import type { WebhooksTables } from '../tables.js';
import { summary } from './outcome.decide.js';
import type { EventKey } from './stripe-event.store.js';

/**
 * Records what one consumer made of an event and sums up what all of them did. The event's row is locked first: two consumers report at about the
 * same time, and the second must see the first one's report.
 * Answers the event's type; null when the event is not stored here (any more), and then nothing is recorded.
 */
export async function recordOutcome(tx: Transaction<WebhooksTables>, report: StripeEventHandled, at: Date): Promise<string | null> {
  const { stripe_event_id } = report;
  const event = await tx
    .selectFrom('stripe_events')
    .select(['created', 'event_type'])
    .where('stripe_event_id', '=', stripe_event_id)
    .forUpdate()
    .executeTakeFirst();
  if (!event) return null;
  const { created } = event;
  await recordReport(tx, created, report, at);
  const reports = await outcomesOf(tx, { created, stripe_event_id });
  const summed = summary(reports);
  if (!summed) return event.event_type;
  await tx
    .updateTable('stripe_events')
    .set({
      processing_outcome: summed.outcome,
      processing_error: summed.error,
      processed_at: latest(reports.map((one) => one.reported_at)),
    })
    .where('created', '=', created)
    .where('stripe_event_id', '=', stripe_event_id)
    .execute();
  return event.event_type;
}

/** Only the report itself, unless a later one is recorded. `created` is the event's. */
export async function recordReport(tx: Transaction<WebhooksTables>, created: Date, report: StripeEventHandled, at: Date): Promise<void> {
  const { stripe_event_id, consumer, outcome } = report;
  const reason = report.reason?.replaceAll('\u0000', '') ?? null;
  await tx
    .insertInto('stripe_event_outcomes')
    .values({ created, stripe_event_id, consumer, outcome, reason, reported_at: at })
    .onConflict((conflict) =>
      conflict
        .columns(['created', 'stripe_event_id', 'consumer'])
        .doUpdateSet((eb) => ({
          outcome: eb.ref('excluded.outcome'),
          reason: eb.ref('excluded.reason'),
          reported_at: eb.ref('excluded.reported_at'),
        }))
        .whereRef('excluded.reported_at', '>=', 'stripe_event_outcomes.reported_at'),
    )
    .execute();
}

/** What the consumers reported about one event. */
export function outcomesOf(db: Kysely<WebhooksTables>, { created, stripe_event_id }: EventKey) {
  return db
    .selectFrom('stripe_event_outcomes')
    .selectAll()
    .where('created', '=', created)
    .where('stripe_event_id', '=', stripe_event_id)
    .orderBy('consumer')
    .execute();
}

const latest = (dates: readonly Date[]): Date => new Date(Math.max(...dates.map((date) => date.getTime())));
