import { createHash } from 'node:crypto';
import { randomUUID } from 'node:crypto';
import { HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { noPaymentDetails, type PaymentDetails } from '@tidegate/contracts/rpc/payment-details';
import { RPC, type Tenant } from '@tidegate/contracts/rpc/routes';
import type { Envelope } from '@tidegate/contracts/envelope';
import { customerErased } from '@tidegate/contracts/events/customer';
import { paymentSubject, type PaymentFact } from '@tidegate/contracts/events/payment';
import { openDatabase } from '@tidegate/database/database';
import { noFailpoints } from '@tidegate/database/failpoints';
import { Lease } from '@tidegate/database/lease';
import { migrate } from '@tidegate/database/migrate';
import { readMigrations } from '@tidegate/database/migration-files';
import { schemasOf, type ServiceSchema } from '@tidegate/database/schema-file';
import { connectBroker } from '@tidegate/messaging/connection';
import { type OutboxMessage, stage } from '@tidegate/messaging/outbox';
import { serveOutboxRead } from '@tidegate/messaging/outbox-read.rpc';
import { OutboxRelay } from '@tidegate/messaging/relay';
import { RpcClient, serveRpc } from '@tidegate/messaging/rpc';
import { natsPermissions } from '@tidegate/messaging/topology';
import { natsForTests, type TestNats } from '@tidegate/test-harness/nats';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { type RunningService, startService } from '@tidegate/service-host/host';
import { receiptsConfig } from '../src/config.js';
import { FAILPOINTS } from '../src/failpoints.js';
import { receipts } from '../src/receipts.module.js';
import { erased } from './payments.js';
import { silent } from './receipts-database.js';

const passwordOf = (role: string) => `${role}-in-tests`;

/** A broker with its users, receipts' database, and what receipts needs of its neighbours: payments' outbox and the answers of gateway and payments. */
export interface ProductAroundReceipts {
  database: TestDatabase;
  nats: TestNats;
  /** As the gateway asks. */
  gateway: RpcClient;
  tenants: Map<string, Tenant>;
  details: Map<string, PaymentDetails>;
  /** Answers payments' details with 503 while true. */
  paymentsAway: boolean;
  /** Commits these facts to payments' outbox, whose relay publishes them. */
  publish(facts: { fact: PaymentFact; envelope: Envelope }[]): Promise<void>;
  /** Tells through the same outbox that payments erased a customer. */
  erase(customer: string): Promise<void>;
  /** The environment of a receipts process. */
  environment(): Record<string, string>;
  startReceipts(settings?: Record<string, string>): Promise<RunningService>;
  stop(): Promise<void>;
}

export async function productAroundReceipts(): Promise<ProductAroundReceipts> {
  const database = await postgresForTests({ migrate: receiptsAndPaymentsOutbox() });
  const nats = await natsForTests({
    users: ['gateway', 'payments', 'receipts'].map((user) => ({ user, password: passwordOf(user), permissions: natsPermissions(user) })),
  });
  const payments = openDatabase<never>({ url: database.urlFor('payments'), poolSize: 3, applicationName: 'payments test' }, silent);
  const brokerOf = (user: string) =>
    connectBroker({ servers: `nats://127.0.0.1:${nats.port}`, user, pass: passwordOf(user), name: user, logger: silent });
  const [paymentsBroker, gatewayBroker] = await Promise.all([brokerOf('payments'), brokerOf('gateway')]);
  const relay = new OutboxRelay({
    db: payments.db,
    broker: paymentsBroker,
    owner: 'payments',
    failpoints: noFailpoints,
    logger: silent,
    lease: new Lease(payments.db, 'relay', randomUUID()),
  });
  const tenants = new Map<string, Tenant>();
  const details = new Map<string, PaymentDetails>();
  const servers = [
    serveOutboxRead(paymentsBroker, payments.db, 'payments'),
    serveRpc(gatewayBroker, RPC.tenantGet, 'gateway', async (request) => tenants.get((request as { tenant: string }).tenant) ?? null),
    serveRpc(paymentsBroker, RPC.paymentGet, 'payments', async (request) => {
      const { id } = (request as { params: { id: string } }).params;
      if (product.paymentsAway) return jsonReply(503, {});
      return HttpReply.parse(jsonReply(200, { id, object: 'payment', details: details.get(id) ?? noPaymentDetails }));
    }),
  ];
  void relay.run();
  const running: RunningService[] = [];
  async function tell(messages: OutboxMessage[]): Promise<void> {
    await payments.db.transaction().execute((tx) => stage(tx, messages));
    relay.signal();
  }
  const product: ProductAroundReceipts = {
    database,
    nats,
    paymentsAway: false,
    gateway: new RpcClient(gatewayBroker),
    tenants,
    details,
    async publish(facts) {
      await tell(facts.map(({ fact, envelope }) => ({ aggregate: envelope.aggregate.id, subject: paymentSubject(fact), envelope })));
    },
    erase: (customer) => tell([{ aggregate: customer, subject: customerErased.subject, envelope: erased(customer) }]),
    environment: () => ({
      PORT: '0',
      DATABASE_URL: database.urlFor('receipts'),
      NATS_URL: nats.url('receipts'),
      LOG_LEVEL: 'silent',
      SHUTDOWN_GRACE_SECONDS: '0',
    }),
    async startReceipts(settings = {}) {
      const config = receiptsConfig({ ...product.environment(), ...settings });
      const service = await startService({ service: 'receipts', version: '0', config, failpoints: FAILPOINTS, setup: receipts }, silent);
      running.push(service);
      return service;
    },
    async stop() {
      await Promise.all(running.map((service) => service.stop()));
      await Promise.all(servers.map((server) => server.stop()));
      await relay.stop();
      await Promise.all([paymentsBroker.drain(), gatewayBroker.drain()]);
      await payments.close();
      await nats.stop();
      await database.drop();
    },
  };
  return product;
}

/** Of payments' schema only what libs bring: its events travel through a real outbox, and no code of payments runs. */
function receiptsAndPaymentsOutbox() {
  const own = schemasOf().find((one) => one.schema === 'receipts');
  if (!own) throw new Error('schema.json of receipts is missing');
  const payments: ServiceSchema = { schema: 'payments', role: 'payments', dirs: own.dirs.filter((dir) => dir.id !== 'receipts') };
  const hash = createHash('sha256');
  for (const file of own.dirs.flatMap(readMigrations)) hash.update(file.id).update(file.sha256);
  return {
    key: `receipts_neighbours_${hash.digest('hex').slice(0, 16)}`,
    passwordOf,
    async run(adminUrl: string) {
      for (const schema of [own, payments]) await migrate(adminUrl, { ...schema, password: passwordOf(schema.role) });
    },
  };
}
