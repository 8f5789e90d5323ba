import type { StripeEventHandled } from '@tidegate/contracts/events/stripe-event-handled';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { StripeEventOutcomesTable, WebhooksTables } from '../tables.js';
import { keptReason } from './kept-reason.js';
import { summary } from './outcome.decide.js';
import { type EventKey, keyList, keyOf } from './stripe-event.store.js';

type Tx = Transaction<WebhooksTables>;

export interface Report {
  report: StripeEventHandled;
  /** When the consumer handled the event; of two reports of a consumer about an event the later one counts. */
  at: Date;
}

/**
 * Records what consumers made of events and sums up for each event what all of them did, in four statements however many there are: while a transaction holds the row of an
 * event, a redelivery of it waits, and every other delivery of the same batch with it. The rows are locked first, in the order of their ids: two consumers report at
 * about the same time, and the second must see the first one's report.
 * Answers the type of each event by its id; one that is not stored here (any more) is left out, and nothing is recorded of it.
 */
export async function recordOutcomes(tx: Tx, reports: readonly Report[]): Promise<Map<string, string>> {
  const events = await lockEvents(
    tx,
    reports.map(({ report }) => report.stripe_event_id),
  );
  if (events.size === 0) return new Map();
  await recordReports(
    tx,
    reports.flatMap(({ report, at }) => {
      const event = events.get(report.stripe_event_id);
      return event ? [{ report, at, created: event.created }] : [];
    }),
  );
  await sumUp(tx, [...events.values()]);
  return new Map([...events].map(([id, { event_type }]) => [id, event_type]));
}

interface Locked extends EventKey {
  event_type: string;
}

async function lockEvents(tx: Tx, ids: readonly string[]): Promise<Map<string, Locked>> {
  const { rows } = await sql<Locked>`
    SELECT stripe_event_id, created, event_type FROM stripe_events WHERE stripe_event_id = ANY(${[...new Set(ids)]}::text[])
    ORDER BY stripe_event_id, created FOR UPDATE`.execute(tx);
  return new Map(rows.toReversed().map((row) => [row.stripe_event_id, row]));
}

/** Only the reports themselves, each unless a later one is recorded. `created` is the event's. */
export async function recordReports(tx: Tx, reports: readonly (Report & { created: Date })[]): Promise<void> {
  const last = new Map<string, Report & { created: Date }>();
  for (const one of reports) {
    const key = `${one.report.consumer}/${one.report.stripe_event_id}`;
    const before = last.get(key);
    if (!before || one.at >= before.at) last.set(key, one);
  }
  const rows = [...last.values()];
  if (rows.length === 0) return;
  await sql`
    INSERT INTO stripe_event_outcomes AS o (created, stripe_event_id, consumer, outcome, reason, reported_at)
    SELECT * FROM unnest(
      ${rows.map(({ created }) => created)}::timestamptz[], ${rows.map(({ report }) => report.stripe_event_id)}::text[],
      ${rows.map(({ report }) => report.consumer)}::text[], ${rows.map(({ report }) => report.outcome)}::text[],
      ${rows.map(({ report }) => (report.reason === null ? null : keptReason(report.reason)))}::text[], ${rows.map(({ at }) => at)}::timestamptz[]
    )
    ON CONFLICT (created, stripe_event_id, consumer)
    DO UPDATE SET outcome = excluded.outcome, reason = excluded.reason, reported_at = excluded.reported_at
    WHERE excluded.reported_at >= o.reported_at`.execute(tx);
}

async function sumUp(tx: Tx, events: readonly EventKey[]): Promise<void> {
  const { rows: reports } = await sql<StripeEventOutcomesTable>`
    SELECT * FROM stripe_event_outcomes WHERE (created, stripe_event_id) IN (SELECT * FROM ${keyList(events)}) ORDER BY consumer`.execute(
    tx,
  );
  const byEvent = Map.groupBy(reports, keyOf);
  const sums = events.flatMap((event) => {
    const ofEvent = byEvent.get(keyOf(event)) ?? [];
    const summed = summary(ofEvent);
    return summed ? [{ event, summed, at: latest(ofEvent.map((one) => one.reported_at)) }] : [];
  });
  await sql`
    UPDATE stripe_events e SET processing_outcome = s.outcome, processing_error = s.error, processed_at = s.at
    FROM unnest(
      ${sums.map(({ event }) => event.created)}::timestamptz[], ${sums.map(({ event }) => event.stripe_event_id)}::text[],
      ${sums.map(({ summed }) => summed.outcome)}::text[], ${sums.map(({ summed }) => summed.error)}::text[],
      ${sums.map(({ at }) => at)}::timestamptz[]
    ) AS s(created, stripe_event_id, outcome, error, at)
    WHERE e.created = s.created AND e.stripe_event_id = s.stripe_event_id`.execute(tx);
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
