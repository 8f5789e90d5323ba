import { feeRecorded } from '@tidegate/contracts/events/fee';
import { envelope, type OutboxMessage } from '@tidegate/messaging/outbox';
import { currentTraceparent } from '@tidegate/telemetry/tracing';
import type { FeeRecorded } from './fee.events.js';

/** What others may know of a balance transaction: all of it. */
export function publishFee({ data: { tenant, ...data } }: FeeRecorded, at: Date): OutboxMessage {
  const aggregate = data.balance_transaction;
  return {
    aggregate,
    subject: feeRecorded.subject,
    envelope: envelope(feeRecorded, {
      tenant,
      aggregateId: aggregate,
      aggregateVersion: 1,
      occurredAt: at,
      correlationId: aggregate,
      causationId: null,
      traceparent: currentTraceparent(),
      data,
    }),
  };
}
