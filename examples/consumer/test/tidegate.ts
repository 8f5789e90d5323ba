import { paymentSubject, type PaymentFact } from '@tidegate/contracts/events/payment';
import { examplePaymentSnapshot, type PaymentSnapshot } from '@tidegate/contracts/payment';
import { openDatabase } from '@tidegate/database/database';
import { noFailpoints } from '@tidegate/database/failpoints';
import { Lease } from '@tidegate/database/lease';
import { inTransaction } from '@tidegate/database/transaction';
import { connectBroker } from '@tidegate/messaging/connection';
import { envelope, stage } from '@tidegate/messaging/outbox';
import { serveOutboxRead } from '@tidegate/messaging/outbox-read.rpc';
import { OutboxRelay } from '@tidegate/messaging/relay';
import { createLogger } from '@tidegate/telemetry/logger';

/** What is otherwise of tenant `default`, made over the API, and of the first version of its contract. */
export interface Unusual {
  tenant?: string;
  origin?: PaymentSnapshot['origin'];
  subject?: string;
}

/** The publishing half of payments: its real outbox, relay and outbox.read. */
export interface Publisher {
  /** Commits one fact of a payment, as payments does. */
  publish(paymentId: string, fact: PaymentFact, version: number, unusual?: Unusual): Promise<void>;
  stop(): Promise<void>;
}

export async function startPublisher(databaseUrl: string, natsUrl: string): Promise<Publisher> {
  const logger = createLogger({ service: 'payments', level: 'silent' });
  const { db, close } = openDatabase<Record<string, never>>(
    { url: databaseUrl, poolSize: 5, applicationName: 'payments in tests' },
    logger,
  );
  const broker = await connectBroker({ servers: natsUrl, name: 'payments', service: 'payments', logger });
  const relay = new OutboxRelay({
    db,
    broker,
    owner: 'payments',
    failpoints: noFailpoints,
    logger,
    lease: new Lease(db, 'relay', `relay-${process.pid}`),
  });
  const running = relay.run();
  const server = serveOutboxRead(broker, db, 'payments');
  return {
    async publish(paymentId, fact, version, { tenant = 'default', origin = 'api', subject = paymentSubject(fact) } = {}) {
      const data: PaymentSnapshot = { ...examplePaymentSnapshot, payment_id: paymentId, origin };
      const parts = {
        tenant,
        aggregateId: paymentId,
        aggregateVersion: version,
        occurredAt: new Date(),
        correlationId: paymentId,
        causationId: null,
        traceparent: null,
        data,
      };
      await inTransaction({ db, failpoints: noFailpoints }, 'test', (tx) =>
        stage(tx, [{ aggregate: paymentId, subject, envelope: envelope(subject, parts) }]),
      );
      relay.signal();
    },
    async stop() {
      await relay.stop();
      await running;
      await server.stop();
      await broker.drain();
      await close();
    },
  };
}
