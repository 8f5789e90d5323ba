import { append, type Metadata, WrongExpectedVersion } from '@tidegate/event-store/append';
import { readLast } from '@tidegate/event-store/read';
import { envelope, stage } from '@tidegate/messaging/outbox';
import { type Kysely, type Transaction } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { decideObserved, type Observed, type ObservedRules, type Seen } from './observed.decide.js';

/** One kind of object that is known by looking at it: how it is kept, shown and told. */
export interface ObservedKind<S, F extends string> {
  name: 'subscription' | 'invoice';
  /** Of its only type of event. */
  event: 'SubscriptionObserved' | 'InvoiceObserved';
  rules: ObservedRules<S, F>;
  subjectOf(fact: F): string;
  snapshotOf(observed: Observed<S>): object;
  /** Writes the row of the projection. */
  show(tx: Transaction<PaymentsTables>, observed: Observed<S>, version: number): Promise<void>;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what holds for every kind
export type AnyObservedKind = ObservedKind<any, any>;

/** An object as its stream says, and how long that stream is; `observed` null and 0 when there is none. */
export interface Known<S> {
  observed: Observed<S> | null;
  version: number;
}

/** The result of one look. `before` null: it was not known. */
export interface Change<S, F> {
  before: Observed<S> | null;
  after: Observed<S> | null;
  facts: F[];
  ask: boolean;
}

export const streamOf = (kind: AnyObservedKind, id: string): string => `${kind.name}:${id}`;

export async function known<S, F extends string>(db: Kysely<PaymentsTables>, kind: ObservedKind<S, F>, id: string): Promise<Known<S>> {
  const last = await readLast(db, streamOf(kind, id));
  return last ? { observed: last.data as Observed<S>, version: last.stream_version } : { observed: null, version: 0 };
}

/**
 * Event, projection and outbox of one look at an object, in the caller's transaction. Looks that come at the same time follow one another. With `expected`, the
 * look began when the stream had that version; null when it has grown since, and nothing is written.
 */
export async function observe<S, F extends string>(
  tx: Transaction<PaymentsTables>,
  kind: ObservedKind<S, F>,
  look: { id: string; seen: Seen<S>; metadata: Metadata; now: Date; expected?: number },
): Promise<Change<S, F> | null> {
  const { id, seen, metadata, now, expected } = look;
  for (;;) {
    const { observed: before, version } = await known(tx, kind, id);
    if (expected !== undefined && expected !== version) return null;
    const { record, ask } = decideObserved(kind.rules, before, seen, now);
    if (record === null) return { before, after: before, facts: [], ask };
    const { observed, facts } = record;
    try {
      await append(tx, streamOf(kind, id), version, [{ type: kind.event, version: 1, data: observed }], metadata, now);
    } catch (error) {
      if (error instanceof WrongExpectedVersion) continue;
      throw error;
    }
    await kind.show(tx, observed, version + 1);
    await tell(tx, kind, { id, observed, facts, metadata, now });
    return { before, after: observed, facts, ask };
  }
}

async function tell<S, F extends string>(
  tx: Transaction<PaymentsTables>,
  kind: ObservedKind<S, F>,
  { id, observed, facts, metadata, now }: { id: string; observed: Observed<S>; facts: F[]; metadata: Metadata; now: Date },
): Promise<void> {
  const messages = facts.map((fact, index) => {
    const subject = kind.subjectOf(fact);
    return {
      aggregate: id,
      subject,
      envelope: envelope(subject, {
        tenant: observed.tenant,
        aggregateId: id,
        aggregateVersion: observed.published - facts.length + index + 1,
        occurredAt: now,
        correlationId: metadata.correlation_id,
        causationId: metadata.causation_id,
        traceparent: metadata.traceparent,
        data: kind.snapshotOf(observed),
      }),
    };
  });
  if (messages.length > 0) await stage(tx, messages);
}
