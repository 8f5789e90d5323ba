import { failpointsFrom } from '@tidegate/database/failpoints';
import { openDatabase } from '@tidegate/database/database';
import { Lease } from '@tidegate/database/lease';
import { createLogger } from '@tidegate/telemetry/logger';
import { sql } from 'kysely';
import { connectBroker } from '../../src/connection.js';
import { type Handler } from '../../src/incoming.js';
import { messagingFailpoints } from '../../src/messaging-failpoints.js';
import { serveOutboxRead } from '../../src/outbox-read.rpc.js';
import { OutboxRelay } from '../../src/relay.js';
import { Subscriber } from '../../src/subscriber.js';

// A process with payments' relay and receipts' consumer, for tests that kill it.
const setting = JSON.parse(process.argv[2] ?? '{}') as {
  nats: Record<string, string>;
  database: Record<string, string>;
  failpoint?: string;
  poison?: number;
};
const logger = createLogger({ service: 'child', level: 'warn' });
const failpoints = failpointsFrom(setting.failpoint, [...messagingFailpoints('payments'), ...messagingFailpoints('receipts')], logger);

const open = async (service: string) => ({
  db: openDatabase<Record<string, never>>(
    { url: setting.database[service] ?? '', poolSize: 4, applicationName: `${service} child` },
    logger,
  ).db,
  broker: await connectBroker({ servers: setting.nats[service] ?? '', name: `${service}-child`, logger }),
});

const payments = await open('payments');
const lease = new Lease(payments.db, 'relay', `relay-${process.pid}`, 800);
void new OutboxRelay({ ...payments, owner: 'payments', failpoints, logger, lease, pollMs: 50 }).run();
serveOutboxRead(payments.broker, payments.db, 'payments');

const handler: Handler = {
  async handle(tx, message) {
    const { n } = message.envelope.data as { n: number };
    if (n === setting.poison) process.kill(process.pid, 'SIGKILL');
    await sql`
      INSERT INTO effects (consumer, message_id, position, aggregate, n, worker)
      VALUES (${message.consumer}, ${message.messageId}, ${message.position}, ${message.aggregate}, ${n}, ${String(process.pid)})`.execute(
      tx,
    );
  },
  async handleSome(tx, messages) {
    const left = messages.filter(({ envelope }) => (envelope.data as { n: number }).n % 7 === 0);
    for (const message of messages) if (!left.includes(message)) await handler.handle(tx, message, undefined);
    return left;
  },
};
const receipts = await open('receipts');
const timing = { gapAfterMs: 200, headCheckMs: 500, pollMs: 50, laneLeaseMs: 800, suspectPauseMs: 5, firstRetryMs: 50 };
const names = { service: 'receipts', durable: 'receipts-payments', stream: 'PAYMENTS_EVENTS' } as const;
await new Subscriber({ ...receipts, ...names, failpoints, logger, clock: { now: () => new Date() }, handler, timing }).start();
process.stdout.write('started\n');
