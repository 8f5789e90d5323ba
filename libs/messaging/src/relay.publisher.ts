import { jetstream, type JetStreamClient } from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { factOf } from '@tidegate/contracts/subjects';
import { currentTraceparent, inSpan } from '@tidegate/telemetry/tracing';
import { type OutboxRow } from './outbox-rows.js';
import { AGGREGATE_HEADER, formatPlace, POSITION_HEADER } from './position-header.js';
import { traceparentOf } from './traceparent-of.js';

const ACK_TIMEOUT_MS = 5_000;

/** How far a batch got: the highest position up to which every message was confirmed, and what went wrong behind it. */
export interface Published {
  upTo: number | null;
  failure: unknown;
}

/** Publishes rows pipelined, with Nats-Msg-Id, position and traceparent, and waits for every confirmation. Never throws. */
export async function publishRows(nc: NatsConnection, epoch: number, rows: readonly OutboxRow[]): Promise<Published> {
  const stream = jetstream(nc);
  const outcomes = await Promise.allSettled(rows.map((row) => publishRow(stream, epoch, row)));
  const failed = outcomes.findIndex((outcome) => outcome.status === 'rejected');
  const failure = outcomes[failed];
  return {
    upTo: rows[(failed === -1 ? rows.length : failed) - 1]?.position ?? null,
    failure: failure?.status === 'rejected' ? failure.reason : null,
  };
}

async function publishRow(stream: JetStreamClient, epoch: number, row: OutboxRow): Promise<void> {
  await inSpan(
    `publish ${row.subject}`,
    {
      kind: 'producer',
      parent: traceparentOf(row.bytes),
      attributes: {
        'messaging.system': 'nats',
        'messaging.operation.name': 'publish',
        'messaging.destination.name': row.subject,
        'messaging.message.id': row.message_id,
        'tidegate.position': row.position,
        'tidegate.fact': factOf(row.subject),
      },
    },
    async () => {
      const context = headers();
      context.set(POSITION_HEADER, formatPlace({ epoch, position: row.position }));
      context.set(AGGREGATE_HEADER, row.aggregate);
      const traceparent = currentTraceparent();
      if (traceparent) context.set('traceparent', traceparent);
      await stream.publish(row.subject, row.bytes, { msgID: row.message_id, headers: context, timeout: ACK_TIMEOUT_MS });
    },
  );
}
