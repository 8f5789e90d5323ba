import { sql, type Transaction } from 'kysely';
import type { EventKey } from '../stripe-event/stripe-event.store.js';
import type { WebhooksTables } from '../tables.js';

type Tx = Transaction<WebhooksTables>;

/** These are published, and nobody knows yet which customer their aggregate is about. The caller holds the aggregate's version, so none is named meanwhile. */
export async function noteNameless(tx: Tx, events: readonly (EventKey & { aggregate: string })[]): Promise<void> {
  if (events.length === 0) return;
  const keys = events.map(({ created, stripe_event_id, aggregate }) => ({ created, stripe_event_id, aggregate }));
  await tx
    .insertInto('nameless_events')
    .values(keys)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Whom stored events of these aggregates are about: also those that were published by a version that noted nothing. */
export async function namedBefore(tx: Tx, aggregates: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (aggregates.length === 0) return new Map();
  const { rows } = await sql<{ aggregate: string; customer: string }>`
    SELECT wanted.aggregate, e.customer FROM unnest(${[...new Set(aggregates)]}::text[]) AS wanted(aggregate)
    CROSS JOIN LATERAL (SELECT customer FROM stripe_events WHERE object_id = wanted.aggregate AND customer IS NOT NULL LIMIT 1) AS e`.execute(
    tx,
  );
  return new Map(rows.map((row) => [row.aggregate, row.customer]));
}

/** Events of these aggregates name their customers: those that were nameless are about them, too. The caller holds the aggregates' versions. */
export async function nameEvents(tx: Tx, named: readonly { aggregate: string; customer: string }[]): Promise<void> {
  if (named.length === 0) return;
  await sql`
    UPDATE nameless_events n SET customer = named.customer
    FROM unnest(${named.map((one) => one.aggregate)}::text[], ${named.map((one) => one.customer)}::text[]) AS named(aggregate, customer)
    WHERE n.aggregate = named.aggregate AND n.customer IS NULL`.execute(tx);
}

/** Gives events that were nameless to this customer. Those who publish hold an event before they look here, and so does this. */
export async function adopt(tx: Tx, customer: string): Promise<void> {
  const { rows } = await sql<EventKey>`
    UPDATE stripe_events e SET customer = ${customer} FROM nameless_events n
    WHERE n.customer = ${customer} AND e.created = n.created AND e.stripe_event_id = n.stripe_event_id
    RETURNING e.created, e.stripe_event_id`.execute(tx);
  await sql`
    DELETE FROM nameless_events WHERE (created, stripe_event_id) IN (
      SELECT * FROM unnest(${rows.map((row) => row.created)}::timestamptz[], ${rows.map((row) => row.stripe_event_id)}::text[]))`.execute(
    tx,
  );
}
