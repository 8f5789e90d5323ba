import type { NormalizedStripeEvent } from '@tidegate/contracts/events/stripe-event';
import { sql, type Transaction } from 'kysely';
import type { ReconciliationTables } from '../tables.js';
import { amountsOf, standingOf, statusOf } from './standing.decide.js';

export interface ObjectSource {
  tenant: string;
  /** When the snapshot was true: Stripe's time of a delivered event, the start of the fetch of a retrieved one. */
  asOf: Date;
}

/** Records what an event says of its object, unless a snapshot that stands higher is recorded already. Answers whether objects of this kind are kept. */
export async function recordObject(
  tx: Transaction<ReconciliationTables>,
  event: NormalizedStripeEvent,
  { tenant, asOf }: ObjectSource,
): Promise<boolean> {
  const { object } = event;
  const stands = standingOf(object);
  if (stands === null) return false;
  const { standing, status_rank } = stands;
  const amounts = amountsOf(object);
  const created = object.created === null ? null : new Date(object.created * 1000);
  await sql`
    INSERT INTO stripe_objects AS o (object_id, object, status, payment_intent, payment_id, tenant, amount, amount_captured, amount_refunded, currency,
      livemode, stripe_created, standing, as_of, status_rank, event_id)
    VALUES (${object.id}, ${object.object}, ${statusOf(object)}, ${object.payment_intent}, ${object.metadata['payment_id'] ?? null}, ${tenant},
      ${amounts.amount}, ${amounts.captured}, ${amounts.refunded}, ${amounts.currency}, ${event.livemode}, ${created},
      ${standing}, ${asOf}, ${status_rank}, ${event.stripe_event_id})
    ON CONFLICT (object_id) DO UPDATE SET
      object = excluded.object, status = excluded.status, payment_intent = excluded.payment_intent, payment_id = excluded.payment_id,
      tenant = excluded.tenant, amount = excluded.amount, amount_captured = excluded.amount_captured, amount_refunded = excluded.amount_refunded,
      currency = excluded.currency, livemode = excluded.livemode, stripe_created = excluded.stripe_created, standing = excluded.standing,
      as_of = excluded.as_of, status_rank = excluded.status_rank, event_id = excluded.event_id
    WHERE (excluded.standing, excluded.as_of, excluded.status_rank, coalesce(excluded.amount_refunded, 0), excluded.event_id)
      > (o.standing, o.as_of, o.status_rank, coalesce(o.amount_refunded, 0), o.event_id)`.execute(tx);
  return true;
}
