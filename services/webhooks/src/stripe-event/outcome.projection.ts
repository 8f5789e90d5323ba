import { handledSubject } from '@tidegate/contracts/subjects';
import type { Projection, ProjectionSource } from '@tidegate/messaging/replay/projection';
import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { WebhooksTables } from '../tables.js';
import { reportOf } from './outcome.consumer.js';
import { NOTICE } from './outcome.decide.js';
import { recordReports } from './outcome.store.js';

/** The reports of all consumers, and what the events' own rows say in sum. A replay counts nothing. */
export const outcomeProjection: Projection = {
  sources: [source('payments'), source('reconciliation')],
  tables: ['stripe_event_outcomes'],
  columns: [
    {
      table: 'stripe_events',
      key: ['created', 'stripe_event_id'],
      columns: ['processing_outcome', 'processing_error', 'processed_at'],
      from: { table: 'stripe_event_outcomes', group: ['created', 'stripe_event_id'] },
      expected: summaries,
    },
  ],
};

function source(service: 'payments' | 'reconciliation'): ProjectionSource {
  return {
    durable: `webhooks-outcomes-${service}`,
    stream: service === 'payments' ? 'PAYMENTS_EVENTS' : 'RECONCILIATION_EVENTS',
    handler: {
      async handle(tx, message) {
        if (message.subject !== handledSubject(service)) return;
        const one = reportOf(message);
        const created = await createdOf(tx, one.report.stripe_event_id);
        if (created) await recordReports(tx, [{ ...one, created }]);
      },
    },
  };
}

/** What is not stored here (any more) has no outcome either. */
async function createdOf(tx: Transaction<WebhooksTables>, id: string): Promise<Date | undefined> {
  const event = await tx.selectFrom('stripe_events').select('created').where('stripe_event_id', '=', id).executeTakeFirst();
  return event?.created;
}

/** What `summary` says of each event, for all of them at once, but for those that are published once more and wait for new reports. */
function summaries(reports: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    SELECT DISTINCT ON (o.created, o.stripe_event_id) o.created, o.stripe_event_id, o.outcome AS processing_outcome,
      o.consumer || ': ' || o.reason AS processing_error, max(o.reported_at) OVER (PARTITION BY o.created, o.stripe_event_id) AS processed_at
    FROM ${reports} AS o JOIN stripe_events AS e USING (created, stripe_event_id)
    JOIN unnest(${Object.keys(NOTICE)}::text[], ${Object.values(NOTICE)}::int[]) AS n (outcome, notice) ON n.outcome = o.outcome
    WHERE e.published_at IS NOT NULL AND NOT (e.replay_job IS NOT NULL AND e.processing_outcome = 'published')
    ORDER BY o.created, o.stripe_event_id, n.notice DESC, o.consumer`;
}
