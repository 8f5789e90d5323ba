import type { NormalizedStripeEvent } from '@tidegate/contracts/events/stripe-event';
import { sql, type Transaction } from 'kysely';
import type { ReconciliationTables } from '../tables.js';
import { rounds } from './rounds.js';
import { amountsOf, standingOf, statusOf } from './standing.decide.js';

export interface ObjectSource {
  tenant: string;
  /** When the snapshot was true: Stripe's time of a delivered event, the start of the fetch of a retrieved one. */
  asOf: Date;
}

/** What an event says of its object. */
export interface ObjectTold extends ObjectSource {
  event: NormalizedStripeEvent;
}

/** Whether objects of this kind are kept. */
export const isKept = ({ object }: NormalizedStripeEvent): boolean => standingOf(object) !== null;

/** Records what events say of their objects, of those that are kept, unless a snapshot that stands higher is recorded already. */
export async function recordObjects(tx: Transaction<ReconciliationTables>, told: readonly ObjectTold[]): Promise<void> {
  const kept = told.flatMap((one) => rowOf(one) ?? []);
  for (const round of rounds(kept, (row) => row.object.id)) await recordRound(tx, round);
}

function rowOf({ event, tenant, asOf }: ObjectTold) {
  const { object } = event;
  const stands = standingOf(object);
  return stands && { ...stands, ...amountsOf(object), object, event, tenant, asOf };
}

/** At most one event of each object. */
async function recordRound(tx: Transaction<ReconciliationTables>, rows: readonly NonNullable<ReturnType<typeof rowOf>>[]): Promise<void> {
  const each = <T>(value: (row: (typeof rows)[number]) => T): T[] => rows.map(value);
  const createdAt = ({ created }: NormalizedStripeEvent['object']): Date | null => (created === null ? null : new Date(created * 1000));
  await sql`
    INSERT INTO stripe_objects AS o (object_id, object, status, payment_intent, payment_id, tenant, amount, amount_captured, amount_refunded, currency,
      livemode, stripe_created, standing, as_of, status_rank, event_id)
    SELECT * FROM unnest(${each(({ object }) => object.id)}::text[], ${each(({ object }) => object.object)}::text[],
      ${each(({ object }) => statusOf(object))}::text[], ${each(({ object }) => object.payment_intent)}::text[],
      ${each(({ object }) => object.metadata['payment_id'] ?? null)}::text[], ${each((row) => row.tenant)}::text[],
      ${each((row) => row.amount)}::bigint[], ${each((row) => row.captured)}::bigint[], ${each((row) => row.refunded)}::bigint[],
      ${each((row) => row.currency)}::text[], ${each(({ event }) => event.livemode)}::boolean[], ${each(({ object }) => createdAt(object))}::timestamptz[],
      ${each((row) => row.standing)}::smallint[], ${each((row) => row.asOf)}::timestamptz[], ${each((row) => row.status_rank)}::smallint[],
      ${each(({ event }) => event.stripe_event_id)}::text[])
    ON CONFLICT (object_id) DO UPDATE SET
      object = excluded.object, status = excluded.status, payment_intent = excluded.payment_intent, payment_id = excluded.payment_id,
      tenant = excluded.tenant, amount = excluded.amount, amount_captured = excluded.amount_captured, amount_refunded = excluded.amount_refunded,
      currency = excluded.currency, livemode = excluded.livemode, stripe_created = excluded.stripe_created, standing = excluded.standing,
      as_of = excluded.as_of, status_rank = excluded.status_rank, event_id = excluded.event_id
    WHERE (excluded.standing, excluded.as_of, excluded.status_rank, coalesce(excluded.amount_refunded, 0), excluded.event_id)
      > (o.standing, o.as_of, o.status_rank, coalesce(o.amount_refunded, 0), o.event_id)`.execute(tx);
}
