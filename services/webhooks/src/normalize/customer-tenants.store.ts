import { type Kysely, sql, type Transaction } from 'kysely';
import type { WebhooksTables } from '../tables.js';

export interface CustomerTenant {
  customer: string;
  /** Null: its metadata names none. */
  tenant: string | null;
}

/** Of these customers those that are known. */
export async function knownCustomers(
  db: Kysely<WebhooksTables>,
  customers: readonly string[],
): Promise<ReadonlyMap<string, string | null>> {
  if (customers.length === 0) return new Map();
  const rows = await db
    .selectFrom('customer_tenants')
    .selectAll()
    .where('stripe_customer', 'in', [...new Set(customers)])
    .execute();
  return new Map(rows.map((row) => [row.stripe_customer, row.tenant]));
}

/** Records what customers say, the first tenant of each for good, and lets go of what waited for them. Rows are locked in order of name, against deadlocks. */
export async function learn(tx: Transaction<WebhooksTables>, said: readonly CustomerTenant[], now: Date): Promise<void> {
  if (said.length === 0) return;
  const tenants = new Map<string, string | null>();
  for (const { customer, tenant } of said) tenants.set(customer, tenants.get(customer) ?? tenant);
  const sorted = [...tenants].sort(([a], [b]) => (a < b ? -1 : 1));
  await sql`
    INSERT INTO customer_tenants AS c (stripe_customer, tenant, learned_at)
    SELECT customer, tenant, ${now}::timestamptz
    FROM unnest(${sorted.map(([customer]) => customer)}::text[], ${sorted.map(([, tenant]) => tenant)}::text[]) AS said(customer, tenant)
    ON CONFLICT (stripe_customer) DO UPDATE SET tenant = excluded.tenant, learned_at = excluded.learned_at
    WHERE c.tenant IS NULL AND excluded.tenant IS NOT NULL`.execute(tx);
  await letGo(
    tx,
    sorted.map(([customer]) => customer),
  );
}

/** What waited for these customers is published with the next batch. */
export async function letGo(db: Kysely<WebhooksTables>, customers: readonly string[]): Promise<void> {
  await sql`
    UPDATE stripe_events SET waits_for = NULL, retry_at = NULL, processing_outcome = 'received', processing_error = NULL
    WHERE waits_for = ANY(${customers}::text[]) AND published_at IS NULL`.execute(db);
}

/** Customers that parked events wait for and that may be asked about now, those waited for longest first. */
export async function awaitedCustomers(
  db: Kysely<WebhooksTables>,
  limit: number,
  now: Date,
): Promise<{ customer: string; attempts: number }[]> {
  const { rows } = await sql<{ customer: string; attempts: number }>`
    SELECT waits_for AS customer, min(attempts) AS attempts FROM stripe_events
    WHERE published_at IS NULL AND queue = 'parked' AND (retry_at IS NULL OR retry_at <= ${now})
    GROUP BY waits_for ORDER BY min(received_at) LIMIT ${limit}`.execute(db);
  return rows;
}

/** Stripe could not be asked about this customer. */
export async function askAgainAt(db: Kysely<WebhooksTables>, customer: string, at: Date): Promise<void> {
  await sql`UPDATE stripe_events SET retry_at = ${at}, attempts = attempts + 1 WHERE waits_for = ${customer} AND published_at IS NULL`.execute(
    db,
  );
}
