import { append, type Metadata, WrongExpectedVersion } from '@tidegate/event-store/append';
import { readStream } from '@tidegate/event-store/read';
import { envelope, stage } from '@tidegate/messaging/outbox';
import { type Insertable, type Kysely, type Transaction } from 'kysely';
import { splitAll, withDetails } from '../event-details/event-details.store.js';
import { type CheckoutsTable, type PaymentsTables } from '../tables.js';
import { type CheckoutEvent, type Occurred } from './checkout.events.js';
import { replay } from './checkout.evolve.js';
import { publishedBy } from './checkout.publish.js';
import { type Checkout, type CheckoutState, noCheckout } from './checkout.state.js';
import { shownBy } from './checkout.view.js';

/** A checkout as its stream says, and how long that stream was. */
export interface Loaded {
  state: CheckoutState;
  version: number;
}

export const nothingLoaded: Loaded = { state: noCheckout, version: 0 };

/** Somebody else decided about this checkout first: load it and decide again. */
export class CheckoutMoved extends Error {
  constructor(readonly checkoutId: string) {
    super(`Checkout ${checkoutId} has moved on`);
    this.name = 'CheckoutMoved';
  }
}

export const streamOf = (checkoutId: string): string => `checkout:${checkoutId}`;

export async function load(db: Kysely<PaymentsTables>, checkoutId: string): Promise<Loaded> {
  const events = await withDetails(db, await readStream(db, streamOf(checkoutId)));
  return { state: replay(events.map(toOccurred)), version: events.length };
}

export const toOccurred = (event: { type: string; data: unknown; occurred_at: Date }): Occurred =>
  ({ type: event.type, data: event.data, at: event.occurred_at.toISOString() }) as Occurred;

export interface Commit {
  checkoutId: string;
  before: Loaded;
  events: readonly CheckoutEvent[];
  now: Date;
  metadata: Metadata;
}

/** Events, projection and outbox of one decision, in the caller's transaction. The row is locked first, as whoever joins news does. Throws CheckoutMoved when the decision does not stand any more; roll back then. */
export async function commit(tx: Transaction<PaymentsTables>, { checkoutId, before, events, now, metadata }: Commit) {
  const occurred = events.map((event) => ({ ...event, at: now.toISOString() }) as Occurred);
  const state = replay(occurred, before.state) as Checkout;
  const version = before.version + events.length;
  const stream = streamOf(checkoutId);
  const { kept, beside } = splitAll(events, { id: checkoutId, stream, version: before.version + 1 });
  if (before.version > 0) await tx.selectFrom('checkouts').select('id').where('id', '=', checkoutId).forUpdate().execute();
  try {
    const rows = kept.map(({ type, data }) => ({ type, version: 1, data }));
    await append(tx, stream, before.version, rows, metadata, now);
  } catch (error) {
    throw error instanceof WrongExpectedVersion ? new CheckoutMoved(checkoutId) : error;
  }
  if (beside.length > 0) {
    const rows = beside.map((row) => ({ ...row, details: JSON.stringify(row.details) }));
    await tx.insertInto('request_details').values(rows).execute();
  }
  await show(tx, state, version);
  await stage(
    tx,
    publishedBy(before.state, occurred).map((fact) => ({
      aggregate: checkoutId,
      subject: fact.subject,
      envelope: envelope(fact.subject, {
        tenant: state.terms.tenant,
        aggregateId: checkoutId,
        aggregateVersion: fact.aggregateVersion,
        occurredAt: new Date(fact.at),
        correlationId: metadata.correlation_id,
        causationId: metadata.causation_id,
        traceparent: metadata.traceparent,
        data: fact.data,
      }),
    })),
  );
  return { state, version };
}

/** The stream decides who comes first; the row only follows. */
async function show(tx: Transaction<PaymentsTables>, state: Checkout, version: number): Promise<void> {
  const row = rowOf(state, version);
  await tx
    .insertInto('checkouts')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute();
}

/** The projection of one checkout. */
export function rowOf(state: Checkout, version: number): Insertable<CheckoutsTable> {
  const shown = shownBy(state);
  return {
    ...shown,
    failure: (shown.failure === null ? null : JSON.stringify(shown.failure)) as never,
    metadata: JSON.stringify(shown.metadata),
    tenant: state.terms.tenant,
    version,
    payment_intent: state.payment_intent,
    stripe_sessions: state.sessions,
    livemode: state.terms.livemode,
  };
}
