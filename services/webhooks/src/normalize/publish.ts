import { type NormalizedStripeEvent, stripeSubject } from '@tidegate/contracts/events/stripe-event';
import { envelope, type OutboxMessage, stage } from '@tidegate/messaging/outbox';
import { sql, type Transaction } from 'kysely';
import { lookAgain } from '../erasure/erasure.store.js';
import { nameEvents, namedBefore, noteNameless } from '../erasure/nameless-events.store.js';
import { markPublished, park, type Unpublished } from '../stripe-event/stripe-event.store.js';
import type { WebhooksTables } from '../tables.js';
import { type CustomerTenant, knownCustomers, learn } from './customer-tenants.store.js';
import { normalizedEvent, type Shown } from './normalized-event.decide.js';
import { aggregateOf } from './object/normalized-object.decide.js';
import { namedTenant, ownerOf, tenantOfAccount } from './tenant.decide.js';

type Tx = Transaction<WebhooksTables>;

/** A claimed row with what Stripe showed of its object: a snapshot is as old as the start of its fetch. */
export interface Publishable {
  row: Unpublished;
  shown: (Shown & { asOf: Date }) | null;
}

export interface PublishOptions {
  now: Date;
  /** STRIPE_ACCOUNT_TENANTS. */
  accountTenants: ReadonlyMap<string, string>;
  /** What customers said when they were asked. */
  learned?: readonly CustomerTenant[];
}

interface Normalized {
  row: Unpublished;
  data: NormalizedStripeEvent;
  aggregate: string;
  occurredAt: Date;
}

/**
 * Stages the events of these locked rows in the outbox and marks the rows published, in the caller's transaction and in the order given. Those whose tenant
 * hangs on a customer that nobody knows yet are parked instead. One that was published before is a replay, and names the message that it was then. The number of
 * events that were staged.
 */
export async function publish(tx: Tx, items: readonly Publishable[], options: PublishOptions): Promise<number> {
  if (items.length === 0) return 0;
  const normalized = items.map(({ row, shown }): Normalized => {
    const data = normalizedEvent(row, shown);
    return { row, data, aggregate: aggregateOf(data.object), occurredAt: shown?.asOf ?? row.created };
  });
  await learn(tx, [...(options.learned ?? []), ...normalized.flatMap(saidByCustomer)], options.now);
  const { ready, waiting } = await owned(tx, normalized);
  await park(tx, waiting);
  if (ready.length === 0) return 0;
  const take = await takeVersions(tx, ready);
  const namedLongAgo = await namedBefore(
    tx,
    ready.filter(({ data }) => data.object.customer === null && mayBeNameless(data)).map(({ aggregate }) => aggregate),
  );
  const messages = ready.map((one) => {
    const { version, tenant, customer: named } = take(one.aggregate);
    const customer = named ?? namedLongAgo.get(one.aggregate) ?? null;
    return { one, customer, message: messageOf(one, version, tenant ?? tenantOfAccount(one.row.account, options.accountTenants)) };
  });
  await stage(
    tx,
    messages.map(({ message }) => message),
  );
  await markPublished(
    tx,
    messages.map(({ one, customer, message }) => ({
      ...one.row,
      tenant: message.envelope.tenant,
      customer: one.data.object.customer ?? customer,
      messageId: message.envelope.id,
    })),
    options.now,
  );
  await nameEvents(
    tx,
    ready.flatMap(({ aggregate, data }) => (data.object.customer === null ? [] : [{ aggregate, customer: data.object.customer }])),
  );
  await noteNameless(
    tx,
    messages.flatMap(({ one, customer }) =>
      customer === null && mayBeNameless(one.data) ? [{ ...one.row, aggregate: one.aggregate }] : [],
    ),
  );
  await lookAgain(
    tx,
    messages.flatMap(({ one, customer }) => one.data.object.customer ?? customer ?? []),
    options.now,
  );
  return ready.length;
}

/** Kinds that have a place for their customer, in which nobody stands, are about nobody whom we know. */
const mayBeNameless = ({ object }: NormalizedStripeEvent): boolean => !NAMING.includes(object.object);
const NAMING: readonly string[] = ['payment_intent', 'charge', 'checkout.session', 'subscription', 'invoice', 'payout'];

function messageOf({ row, data, aggregate, occurredAt }: Normalized, aggregateVersion: number, tenant: string): OutboxMessage {
  const subject = stripeSubject(data.type, data.object.object);
  return {
    aggregate,
    subject,
    envelope: envelope(subject, {
      tenant,
      account: row.account,
      aggregateId: aggregate,
      aggregateVersion,
      occurredAt,
      correlationId: row.stripe_event_id,
      causationId: row.stripe_event_id,
      traceparent: row.traceparent,
      replayOf: row.message_id,
      data,
    }),
  };
}

/** A customer of our account whose metadata can be seen tells whose it is; the stub of a deleted one shows none. */
function saidByCustomer({ row, data: { object } }: Normalized): CustomerTenant[] {
  if (object.object !== 'customer' || row.account !== null) return [];
  const tenant = namedTenant(object.metadata);
  return tenant === null && object.deleted === true ? [] : [{ customer: object.id, tenant }];
}

type Owned = Normalized & { tenant: string | null };

async function owned(
  tx: Tx,
  normalized: readonly Normalized[],
): Promise<{ ready: Owned[]; waiting: { row: Unpublished; customer: string }[] }> {
  const known = {
    ofAggregates: await tenantsOf(
      tx,
      normalized.map((one) => one.aggregate),
    ),
    ofCustomers: await knownCustomers(
      tx,
      normalized.flatMap(({ data }) => data.object.customer ?? []),
    ),
  };
  const ready: Owned[] = [];
  const waiting: { row: Unpublished; customer: string }[] = [];
  for (const one of normalized) {
    const owner = ownerOf(one.data, { aggregate: one.aggregate, account: one.row.account }, known);
    if (owner.kind === 'given') ready.push({ ...one, tenant: owner.tenant });
    else if (isDeletedCustomer(one.data)) ready.push({ ...one, tenant: null });
    else waiting.push({ row: one.row, customer: owner.customer });
  }
  return { ready, waiting };
}

/** Nobody will ever say whose it was. */
const isDeletedCustomer = ({ object }: NormalizedStripeEvent): boolean => object.object === 'customer' && object.deleted === true;

async function tenantsOf(tx: Tx, aggregates: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ aggregate: string; tenant: string }>`
    SELECT aggregate, tenant FROM published_versions
    WHERE aggregate = ANY(${[...new Set(aggregates)]}::text[]) AND tenant IS NOT NULL`.execute(tx);
  return new Map(rows.map((row) => [row.aggregate, row.tenant]));
}

interface Taken {
  version: number;
  tenant: string | null;
  /** Whom the aggregate is about, as far as its events have told. */
  customer: string | null;
}

/**
 * Reserves one version per mention of each aggregate, and fixes its tenant and customer; the answered function deals them out. Rows are locked in order of name,
 * against deadlocks.
 */
async function takeVersions(tx: Tx, events: readonly Owned[]): Promise<(aggregate: string) => Taken> {
  const wanted = new Map<string, { count: number; tenant: string | null; customer: string | null }>();
  for (const { aggregate, tenant, data } of events) {
    const before = wanted.get(aggregate);
    wanted.set(aggregate, {
      count: (before?.count ?? 0) + 1,
      tenant: before?.tenant ?? tenant,
      customer: before?.customer ?? data.object.customer,
    });
  }
  const sorted = [...wanted].sort(([a], [b]) => (a < b ? -1 : 1));
  const { rows } = await sql<Taken & { aggregate: string }>`
    INSERT INTO published_versions AS p (aggregate, version, tenant, customer)
    SELECT * FROM unnest(${sorted.map(([aggregate]) => aggregate)}::text[], ${sorted.map(([, { count }]) => count)}::bigint[],
      ${sorted.map(([, { tenant }]) => tenant)}::text[], ${sorted.map(([, { customer }]) => customer)}::text[])
    ON CONFLICT (aggregate) DO UPDATE SET version = p.version + excluded.version, tenant = coalesce(p.tenant, excluded.tenant),
      customer = coalesce(p.customer, excluded.customer)
    RETURNING aggregate, version, tenant, customer`.execute(tx);
  const taken = new Map(
    rows.map(({ aggregate, ...row }) => [aggregate, { ...row, version: row.version - (wanted.get(aggregate)?.count ?? 0) }]),
  );
  return (aggregate) => {
    const of = taken.get(aggregate);
    if (!of) throw new Error(`Bug: no version was taken for ${aggregate}`);
    of.version += 1;
    return { ...of };
  };
}
