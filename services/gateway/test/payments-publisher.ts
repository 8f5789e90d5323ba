import { randomUUID } from 'node:crypto';
import { paymentSubject } from '@tidegate/contracts/events/payment';
import { examplePaymentSnapshot } from '@tidegate/contracts/payment';
import { noFailpoints } from '@tidegate/database/failpoints';
import { Lease } from '@tidegate/database/lease';
import { inTransaction } from '@tidegate/database/transaction';
import { envelope, type OutboxMessage, stage } from '@tidegate/messaging/outbox';
import { checkpointPublished, readOutboxState, stampVisible, startNewEpoch } from '@tidegate/messaging/outbox-rows';
import { OutboxRelay } from '@tidegate/messaging/relay';
import { createLogger } from '@tidegate/telemetry/logger';
import type { RunningGateway } from './running-gateway.js';

/** The publishing half of payments behind a gateway in tests: its real outbox and relay. */
export interface PaymentsPublisher {
  /** Commits so many events of a tenant's payments in one transaction; `padding` makes each so many bytes longer. */
  publish(count: number, options?: { tenant?: string; padding?: number }): Promise<void>;
  /** The same, but the broker loses them after it has confirmed them. */
  publishAndLose(count: number): Promise<void>;
  /** As after a restore of the database: a new epoch begins behind what there is. Its number. */
  beginEpoch(): Promise<number>;
  stop(): Promise<void>;
}

export function publishBehind({ behind }: RunningGateway): PaymentsPublisher {
  const logger = createLogger({ service: 'payments', level: 'silent' });
  const lease = () => new Lease(behind.db, 'relay', `relay-${randomUUID()}`);
  const start = () => {
    const relay = new OutboxRelay({ ...behind, owner: 'payments', failpoints: noFailpoints, logger, lease: lease() });
    return { relay, running: relay.run() };
  };
  const stop = async ({ relay, running }: ReturnType<typeof start>) => {
    await relay.stop();
    await running;
  };
  let current = start();
  let made = 0;
  const paymentEvents = (count: number, tenant: string, padding: number) =>
    Array.from({ length: count }, () => paymentSucceeded((made += 1), tenant, padding));
  return {
    async publish(count, { tenant = 'default', padding = 0 } = {}) {
      const messages = paymentEvents(count, tenant, padding);
      await inTransaction({ db: behind.db, failpoints: noFailpoints }, 'test', (tx) => stage(tx, messages));
      current.relay.signal();
    },
    async publishAndLose(count) {
      await stop(current);
      const own = lease();
      const epoch = await own.acquire();
      if (epoch === null) throw new Error('Bug: somebody else relays');
      const rows = await inTransaction({ db: behind.db, failpoints: noFailpoints }, 'test', async (tx) => {
        await stage(tx, paymentEvents(count, 'default', 0));
        return stampVisible(tx, { name: own.name, holder: own.holder, epoch }, count);
      });
      await checkpointPublished(behind.db, rows.at(-1)?.position ?? 0, epoch);
      await own.release();
      current = start();
    },
    async beginEpoch() {
      await stop(current);
      const epoch = await startNewEpoch(behind.db, await readOutboxState(behind.db));
      if (epoch === null) throw new Error('Bug: somebody else relays');
      current = start();
      return epoch;
    },
    stop: () => stop(current),
  };
}

function paymentSucceeded(n: number, tenant: string, padding: number): OutboxMessage {
  const aggregateId = `pay_${String(n).padStart(16, '0')}`;
  const data = {
    ...examplePaymentSnapshot,
    payment_id: aggregateId,
    ...(padding > 0 ? { metadata: { padding: 'x'.repeat(padding) } } : {}),
  };
  const subject = paymentSubject('succeeded');
  const parts = {
    tenant,
    aggregateId,
    aggregateVersion: 1,
    occurredAt: new Date(),
    correlationId: aggregateId,
    causationId: null,
    traceparent: null,
    data,
  };
  return { aggregate: aggregateId, subject, envelope: envelope(subject, parts) };
}
