import { stripeSubject } from '@tidegate/contracts/events/stripe-event';
import { envelope, type OutboxMessage, stage } from '@tidegate/messaging/outbox';
import { sql, type Transaction } from 'kysely';
import { markPublished, type Unpublished } from '../stripe-event/stripe-event.store.js';
import type { WebhooksTables } from '../tables.js';
import { normalizedEvent, tenantOf } from './normalized-event.decide.js';
import { aggregateOf } from './normalized-object.decide.js';

/** A claimed row with what Stripe showed of its object: a snapshot is as old as the start of its fetch. */
export interface Publishable {
  row: Unpublished;
  retrieved: { object: object; asOf: Date } | null;
}

/** Stages the events of these locked rows in the outbox and marks the rows published, in the caller's transaction and in the order given. */
export async function publish(tx: Transaction<WebhooksTables>, items: readonly Publishable[], now: Date): Promise<void> {
  if (items.length === 0) return;
  const normalized = items.map(({ row, retrieved }) => {
    const data = normalizedEvent(row, retrieved?.object ?? null);
    return { row, data, aggregate: aggregateOf(data.object), occurredAt: retrieved?.asOf ?? row.created };
  });
  const nextVersion = await takeVersions(
    tx,
    normalized.map((one) => one.aggregate),
  );
  const messages = normalized.map(({ row, data, aggregate, occurredAt }): OutboxMessage => {
    const subject = stripeSubject(data.type);
    return {
      aggregate,
      subject,
      envelope: envelope(subject, {
        tenant: tenantOf(data),
        account: row.account,
        aggregateId: aggregate,
        aggregateVersion: nextVersion(aggregate),
        occurredAt,
        correlationId: row.stripe_event_id,
        causationId: row.stripe_event_id,
        traceparent: row.traceparent,
        data,
      }),
    };
  });
  await stage(tx, messages);
  await markPublished(
    tx,
    items.map((one) => one.row),
    now,
  );
}

/** Reserves one version per mention of each aggregate; the answered function deals them out. Rows are locked in order of name, against deadlocks. */
async function takeVersions(tx: Transaction<WebhooksTables>, aggregates: readonly string[]): Promise<(aggregate: string) => number> {
  const counts = new Map<string, number>();
  for (const aggregate of aggregates) counts.set(aggregate, (counts.get(aggregate) ?? 0) + 1);
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  const { rows } = await sql<{ aggregate: string; version: number }>`
    INSERT INTO published_versions AS p (aggregate, version)
    SELECT * FROM unnest(${sorted.map(([aggregate]) => aggregate)}::text[], ${sorted.map(([, count]) => count)}::bigint[])
    ON CONFLICT (aggregate) DO UPDATE SET version = p.version + excluded.version
    RETURNING aggregate, version`.execute(tx);
  const last = new Map(rows.map((row) => [row.aggregate, row.version - (counts.get(row.aggregate) ?? 0)]));
  return (aggregate) => {
    const version = (last.get(aggregate) ?? 0) + 1;
    last.set(aggregate, version);
    return version;
  };
}
