import { STRIPE_EVENT_CONSUMERS } from '@tidegate/contracts/events/stripe-event-handled';
import { type RawBuilder, sql } from 'kysely';
import { DEFAULT_TENANT } from '../normalize/normalized-event.decide.js';

/** Which stored events; an empty one means all. */
export interface EventFilter {
  status?: string | undefined;
  type?: string | undefined;
  tenant?: string | undefined;
  /** The tenant that asks: nothing but its own, whatever `tenant` says, and nothing of which nobody knows yet whose it is. */
  only?: string | undefined;
  object_id?: string | undefined;
  created_gte?: Date | undefined;
  created_lt?: Date | undefined;
  ids?: readonly string[] | undefined;
  /** Only what waits to be published, or of which not every consumer has said what it made of it. */
  unhandled?: boolean | undefined;
}

/**
 * What names no tenant is shown under the default one, to operators also before it is published; whose it is may still turn out otherwise then. Written like the index
 * `stripe_events_tenant`, literal and all.
 */
export const tenantColumn = sql<string>`coalesce(tenant_hint, ${sql.lit(DEFAULT_TENANT)})`;

/** The filter as a condition on the columns of `stripe_events`. */
export function matching(filter: EventFilter): RawBuilder<boolean> {
  const conditions = [sql<boolean>`true`];
  if (filter.status !== undefined) conditions.push(sql`processing_outcome = ${filter.status}`);
  // Implied, and what the index of the unpublished is found by.
  if (filter.status === 'received') conditions.push(sql`published_at IS NULL`);
  if (filter.type !== undefined) conditions.push(sql`event_type = ${filter.type}`);
  if (filter.tenant !== undefined) conditions.push(sql`${tenantColumn} = ${filter.tenant}`);
  if (filter.only !== undefined) conditions.push(sql`${tenantColumn} = ${filter.only} AND tenant_hint IS NOT NULL`);
  if (filter.object_id !== undefined) conditions.push(sql`object_id = ${filter.object_id}`);
  if (filter.created_gte !== undefined) conditions.push(sql`created >= ${filter.created_gte}`);
  if (filter.created_lt !== undefined) conditions.push(sql`created < ${filter.created_lt}`);
  if (filter.ids !== undefined) conditions.push(sql`stripe_event_id = ANY(${filter.ids})`);
  if (filter.unhandled) conditions.push(UNHANDLED);
  return sql.join(conditions, sql` AND `);
}

const UNHANDLED = sql<boolean>`(processing_outcome IN ('received', 'published') OR published_at IS NULL AND processing_outcome IN ('failed', 'parked')
OR published_at IS NOT NULL AND (
  SELECT count(*) FROM stripe_event_outcomes AS o
  WHERE o.created = stripe_events.created AND o.stripe_event_id = stripe_events.stripe_event_id AND o.consumer = ANY(${[...STRIPE_EVENT_CONSUMERS]}::text[])
) < ${sql.lit(STRIPE_EVENT_CONSUMERS.length)})`;
