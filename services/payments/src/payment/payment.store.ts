import { type Metadata } from '@tidegate/event-store/event';
import { readStream, readStreams } from '@tidegate/event-store/read';
import { envelope, type OutboxMessage } from '@tidegate/messaging/outbox';
import { type Insertable, type Kysely, type Transaction } from 'kysely';
import { withDetails } from '../event-details/event-details.store.js';
import { type PaymentsTable, type PaymentsTables, type RefundRow } from '../tables.js';
import { type Occurred, type PaymentEvent } from './payment.events.js';
import { replay } from './payment.evolve.js';
import { publishedBy, snapshotOf } from './payment.publish.js';
import { noPayment, type Payment, type PaymentState, type Refund } from './payment.state.js';
import { type DecisionRows, writeDecisions } from './write-decisions.js';

/** A payment as its stream says, and how long that stream was. */
export interface Loaded {
  state: PaymentState;
  version: number;
}

export const nothingLoaded: Loaded = { state: noPayment, version: 0 };

/** Somebody else decided about this payment first: load it and decide again. */
export class PaymentMoved extends Error {
  constructor(readonly paymentId: string) {
    super(`Payment ${paymentId} has moved on`);
    this.name = 'PaymentMoved';
  }
}

const streamOf = (paymentId: string): string => `payment:${paymentId}`;

export async function load(db: Kysely<PaymentsTables>, paymentId: string): Promise<Loaded> {
  const events = await withDetails(db, await readStream(db, streamOf(paymentId)));
  return { state: replay(events.map(toOccurred)), version: events.length };
}

/** The same of several payments that exist, each with the trace in which it was accepted. */
export async function loadAll(
  db: Kysely<PaymentsTables>,
  paymentIds: readonly string[],
): Promise<Map<string, Loaded & { traceparent: string | null }>> {
  const streams = await readStreams(db, paymentIds.map(streamOf));
  const detailed = Map.groupBy(await withDetails(db, [...streams.values()].flat()), ({ stream }) => stream);
  return new Map(
    paymentIds.map((id) => {
      const events = detailed.get(streamOf(id)) ?? [];
      const traceparent = events[0]?.metadata.traceparent ?? null;
      return [id, { state: replay(events.map(toOccurred)), version: events.length, traceparent }];
    }),
  );
}

export const toOccurred = (event: { type: string; data: unknown; occurred_at: Date }): Occurred =>
  ({ type: event.type, data: event.data, at: event.occurred_at.toISOString() }) as Occurred;

export interface Commit {
  paymentId: string;
  before: Loaded;
  events: readonly PaymentEvent[];
  now: Date;
  metadata: Metadata;
}

/** What a decision makes of a payment, and the rows that say so. */
export interface Decided {
  after: { state: Payment; version: number };
  rows: DecisionRows;
}

export function decided({ paymentId, before, events, now, metadata }: Commit): Decided {
  const occurred = events.map((event) => ({ ...event, at: now.toISOString() }) as Occurred);
  const state = replay(occurred, before.state) as Payment;
  const version = before.version + events.length;
  const rows = {
    stream: streamOf(paymentId),
    expected: before.version,
    row: rowOf(state, version),
    events,
    metadata,
    now,
    messages: messagesOf(before.state, occurred, state, metadata),
  };
  return { after: { state, version }, rows };
}

/**
 * Events, projection and outbox of one decision, in the caller's transaction. The projection's row goes first: its version finds out, by waiting for a
 * concurrent writer, whether the decision still stands. Throws PaymentMoved if not; the transaction must then be rolled back.
 */
export async function commit(tx: Transaction<PaymentsTables>, decision: Commit): Promise<Decided['after']> {
  const { after, rows } = decided(decision);
  await commitAll(tx, [rows]);
  return after;
}

/** The same of decisions about different payments. */
export async function commitAll(tx: Transaction<PaymentsTables>, decisions: readonly DecisionRows[]): Promise<void> {
  if (decisions.length === 0) return;
  const written = await writeDecisions(tx, decisions);
  const moved = decisions.find((_, index) => !written[index]);
  if (moved) throw new PaymentMoved(moved.row.id);
}

/** The projection of one payment. */
export function rowOf(payment: Payment, version: number): Insertable<PaymentsTable> {
  const snapshot = snapshotOf(payment);
  return {
    id: snapshot.payment_id,
    tenant: payment.terms.tenant,
    version,
    status: snapshot.status,
    amount: snapshot.amount,
    amount_captured: snapshot.amount_captured,
    amount_refunded: snapshot.amount_refunded,
    currency: snapshot.currency,
    capture_method: snapshot.capture_method,
    stripe_payment_intent: snapshot.stripe_payment_intent,
    stripe_charge: snapshot.stripe_charge,
    customer: payment.terms.customer,
    card: json(snapshot.card),
    failure: json(snapshot.failure),
    cancellation_reason: snapshot.cancellation_reason ?? null,
    refunds: JSON.stringify(
      snapshot.refunds.map((refund, i) => ({
        ...refund,
        created_at: payment.refunds[i]?.created_at,
        failure: failureOf(payment.refunds[i]),
      })),
    ),
    disputes: JSON.stringify(snapshot.disputes),
    metadata: JSON.stringify(payment.terms.metadata),
    origin: snapshot.origin,
    livemode: snapshot.livemode,
    created_at: new Date(snapshot.created_at),
    updated_at: new Date(snapshot.updated_at),
    status_since: new Date(payment.status_since),
  };
}

const failureOf = (refund: Refund | undefined): RefundRow['failure'] =>
  refund?.failure ? { code: refund.failure.code, message: refund.failure.message } : null;

const json = (value: object | null): never => (value === null ? null : JSON.stringify(value)) as never;

function messagesOf(before: PaymentState, occurred: readonly Occurred[], { terms }: Payment, metadata: Metadata): OutboxMessage[] {
  return publishedBy(before, occurred).map((fact) => ({
    aggregate: terms.payment_id,
    subject: fact.subject,
    envelope: envelope(fact.subject, {
      tenant: terms.tenant,
      aggregateId: terms.payment_id,
      aggregateVersion: fact.aggregateVersion,
      occurredAt: new Date(fact.at),
      correlationId: metadata.correlation_id,
      causationId: metadata.causation_id,
      traceparent: metadata.traceparent,
      data: fact.data,
    }),
  }));
}

export async function findRow(db: Kysely<PaymentsTables>, paymentId: string, tenant: string) {
  return db.selectFrom('payments').selectAll().where('id', '=', paymentId).where('tenant', '=', tenant).executeTakeFirst();
}
