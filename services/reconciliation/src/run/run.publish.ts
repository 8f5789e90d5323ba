import { runFinished } from '@tidegate/contracts/events/reconciliation-run';
import { envelope, type OutboxMessage } from '@tidegate/messaging/outbox';
import { currentTraceparent } from '@tidegate/telemetry/tracing';
import type { RunFinished } from './run.events.js';
import type { OpenRun } from './run.store.js';

/** What others may know of the end of a run. */
export function publishRunFinished(run: OpenRun, { data }: RunFinished, correlationId: string, at: Date): OutboxMessage {
  return {
    aggregate: run.run_id,
    subject: runFinished.subject,
    envelope: envelope(runFinished, {
      tenant: run.tenant,
      aggregateId: run.run_id,
      aggregateVersion: 1,
      occurredAt: at,
      correlationId,
      causationId: null,
      traceparent: currentTraceparent(),
      data: { run_id: run.run_id, status: data.status, mode: run.mode, counts: data.counts, reason: data.failure },
    }),
  };
}
