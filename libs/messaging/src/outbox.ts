import { type Envelope } from '@tidegate/contracts/envelope';
import { factOf } from '@tidegate/contracts/subjects';
import { type Transaction, sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';

/** A message to publish once its transaction has committed. Messages with the same `aggregate` take effect in the order they were staged. */
export interface OutboxMessage {
  aggregate: string;
  subject: string;
  /** Its `id` is the message id. */
  envelope: Envelope;
}

/** A message must fit into a page of outbox.read and into one of the broker (1 MiB): one that does not would hold its stream up for ever. */
const MAX_BYTES = 256 * 1024;

/**
 * Writes messages into the outbox of the transaction's schema; the relay publishes them after the commit. Signal the relay then. Throws for a message of more
 * than 256 KiB.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's transaction
export async function stage(tx: Transaction<any>, messages: readonly OutboxMessage[]): Promise<void> {
  if (messages.length === 0) return;
  const ids = messages.map((message) => message.envelope.id);
  const aggregates = messages.map((message) => message.aggregate);
  const subjects = messages.map((message) => message.subject);
  const bodies = messages.map(bodyOf);
  await sql`
    INSERT INTO outbox (message_id, aggregate, subject, bytes)
    SELECT message_id, aggregate, subject, convert_to(body, 'UTF8')
    FROM unnest(${ids}::uuid[], ${aggregates}::text[], ${subjects}::text[], ${bodies}::text[])
      WITH ORDINALITY AS m(message_id, aggregate, subject, body, n)
    ORDER BY n`.execute(tx);
}

/** What is published of a message, for those that write outbox rows themselves. Throws for more than 256 KiB. */
export function bodyOf({ subject, envelope: content }: OutboxMessage): string {
  const body = JSON.stringify(content);
  if (Buffer.byteLength(body) > MAX_BYTES) throw new Error(`Bug: a message to ${subject} has more than ${MAX_BYTES} bytes`);
  return body;
}

export interface EnvelopeParts<T> {
  tenant: string;
  account?: string | null;
  aggregateId: string;
  /** Counts the published events of the aggregate. */
  aggregateVersion: number;
  occurredAt: Date;
  correlationId: string;
  causationId: string | null;
  traceparent: string | null;
  /** The id under which the same event was published first, when this is a replay of it. */
  replayOf?: string | null;
  data: T;
}

/** An envelope with a fresh id (UUID v7) around the data of a message; `type` and `version` come from the contract, or are read from its subject. */
export function envelope<T>(contract: string | { subject: string; version: number }, parts: EnvelopeParts<T>): Envelope<T> {
  const { subject, version } = typeof contract === 'string' ? { subject: contract, version: versionOf(contract) } : contract;
  return {
    id: uuidv7(),
    type: factOf(subject),
    version,
    tenant: parts.tenant,
    account: parts.account ?? null,
    aggregate: { id: parts.aggregateId, version: parts.aggregateVersion },
    occurred_at: parts.occurredAt.toISOString(),
    correlation_id: parts.correlationId,
    causation_id: parts.causationId,
    traceparent: parts.traceparent,
    ...(parts.replayOf ? { replay_of: parts.replayOf } : {}),
    data: parts.data,
  };
}

function versionOf(subject: string): number {
  const version = /\.v(\d+)$/.exec(subject)?.[1];
  if (version === undefined) throw new Error(`Bug: the subject ${subject} has no version`);
  return Number(version);
}
