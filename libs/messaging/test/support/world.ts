import { type Owner, STREAM_OF_OWNER } from '@tidegate/contracts/subjects';
import { type Db, openDatabase } from '@tidegate/database/database';
import { type Failpoints, noFailpoints } from '@tidegate/database/failpoints';
import { Lease } from '@tidegate/database/lease';
import { inTransaction } from '@tidegate/database/transaction';
import { createLogger, type Logger } from '@tidegate/telemetry/logger';
import { natsForTests, type TestNats } from '@tidegate/test-harness/nats';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { type Transaction, sql } from 'kysely';
import { type Broker, connectBroker } from '../../src/connection.js';
import { type Handler, type Incoming, Subscriber, type SubscriberOptions, type SubscriberTiming } from '../../src/subscriber.js';
import { envelope, type OutboxMessage, stage } from '../../src/outbox.js';
import { serveOutboxRead } from '../../src/outbox-read.rpc.js';
import { OutboxRelay } from '../../src/relay.js';
import { DURABLES, natsPermissions, SERVICES, type TopologyOptions } from '../../src/topology.js';
import { messagingMigration, SCHEMAS } from './migration.js';

export const SUBJECT: Record<Owner, string> = {
  payments: 'payments.events.payment.succeeded.v1',
  webhooks: 'stripe.events.payment_intent.succeeded.v1',
  receipts: 'receipts.events.receipt.issued.v1',
  reconciliation: 'reconciliation.events.run.finished.v1',
};

export const FAST: Partial<SubscriberTiming> = { gapAfterMs: 200, headCheckMs: 500, pollMs: 100, laneLeaseMs: 2_000, firstRetryMs: 50 };

/** One process's worth of a service. */
export interface Member {
  service: string;
  db: Db;
  broker: Broker;
}

export interface Effect {
  message_id: string;
  position: number;
  aggregate: string;
  n: number;
  worker: string;
  at: Date;
}

export const quiet: Logger = createLogger({ service: 'test', level: 'silent' });

/** A database with the tables of messaging and a nats-server with the users of the topology, and what a test starts on them. */
export class World {
  private readonly closing: (() => Promise<unknown>)[] = [];

  private constructor(
    readonly database: TestDatabase,
    readonly nats: TestNats,
  ) {}

  static async open(nats: { maxFileStoreBytes?: number } = {}): Promise<World> {
    return World.on(await postgresForTests({ migrate: messagingMigration }), nats);
  }

  static async on(database: TestDatabase, nats: { maxFileStoreBytes?: number } = {}): Promise<World> {
    const users = [
      { user: 'admin', password: 'admin' },
      ...SERVICES.map((service) => ({ user: service, password: service, permissions: natsPermissions(service) })),
    ];
    return new World(database, await natsForTests({ ...nats, users }));
  }

  /** Everything that was started, last first, then the servers. */
  async close(): Promise<void> {
    for (const one of this.closing.reverse()) await one();
    await this.nats.stop();
    await this.database.drop();
  }

  onClose(close: () => Promise<unknown>): void {
    this.closing.push(close);
  }

  async member(service: string, topology: Partial<TopologyOptions> = {}): Promise<Member> {
    const url = SCHEMAS.some((schema) => schema === service) ? this.database.urlFor(service) : this.database.url;
    const database = openDatabase<Record<string, never>>({ url, poolSize: 10, applicationName: `${service} in tests` }, quiet);
    this.onClose(() => database.close());
    const broker = await connectBroker({ servers: this.nats.url(service), name: `${service}-test`, logger: quiet, topology });
    this.onClose(() => broker.drain());
    return { service, db: database.db, broker };
  }

  /** An owner with its relay and its outbox served. */
  async owner(
    owner: Owner,
    options: { failpoints?: Failpoints; serve?: boolean; topology?: Partial<TopologyOptions> } = {},
  ): Promise<Member & { relay: OutboxRelay; publish: Publish }> {
    const member = await this.member(owner, options.topology);
    const relay = this.relay(member, owner, options.failpoints);
    if (options.serve !== false) {
      const server = serveOutboxRead(member.broker, member.db, owner);
      this.onClose(() => server.stop());
    }
    return { ...member, relay, publish: publisher(member.db, owner, relay) };
  }

  relay(member: Member, owner: Owner, failpoints = noFailpoints): OutboxRelay {
    const lease = new Lease(member.db, 'relay', `relay-${Math.random()}`);
    const relay = new OutboxRelay({ ...member, owner, failpoints, logger: quiet, lease });
    const running = relay.run();
    this.onClose(async () => {
      await relay.stop();
      await running;
    });
    return relay;
  }

  async subscribe(member: Member, durable: string, handler: Handler, options: Partial<SubscriberOptions> = {}): Promise<Subscriber> {
    const spec = DURABLES.find((one) => one.durable === durable);
    if (!spec) throw new Error(`no durable ${durable}`);
    const subscriber = new Subscriber({
      ...member,
      failpoints: noFailpoints,
      logger: quiet,
      clock: { now: () => new Date() },
      service: spec.service,
      durable,
      stream: spec.stream,
      handler,
      ...options,
      timing: { ...FAST, ...options.timing },
    });
    await subscriber.start();
    this.onClose(() => subscriber.stop());
    return subscriber;
  }
}

export type Publish = (aggregate: string, n: number) => Promise<void>;

/** Decides and stages one message, like a service does: in one transaction, and the relay is told. */
export const publisher =
  (db: Db, owner: Owner, relay?: OutboxRelay): Publish =>
  async (aggregate, n) => {
    await inTransaction({ db, failpoints: noFailpoints }, 'test', (tx) => stage(tx, [messageOf(owner, aggregate, n)]));
    relay?.signal();
  };

export function messageOf(owner: Owner, aggregate: string, n: number): OutboxMessage {
  const parts = {
    tenant: 'default',
    aggregateId: aggregate,
    aggregateVersion: n,
    occurredAt: new Date(),
    correlationId: `correlation-${aggregate}`,
    causationId: null,
    traceparent: null,
    data: { n },
  };
  return { aggregate, subject: SUBJECT[owner], envelope: envelope(SUBJECT[owner], parts) };
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any schema
export async function recordEffect(tx: Transaction<any>, message: Incoming, worker = 'one'): Promise<void> {
  await sql`
    INSERT INTO effects (consumer, message_id, position, aggregate, n, worker)
    VALUES (${message.consumer}, ${message.messageId}, ${message.position}, ${message.aggregate}, ${(message.envelope.data as { n: number }).n}, ${worker})`.execute(
    tx,
  );
}

export const recorder = (worker = 'one'): Handler => ({ handle: (tx, message) => recordEffect(tx, message, worker) });

export async function effectsOf(db: Db, consumer: string): Promise<Effect[]> {
  const { rows } =
    await sql<Effect>`SELECT message_id, position, aggregate, n, worker, at FROM effects WHERE consumer = ${consumer} ORDER BY id`.execute(
      db,
    );
  return rows;
}

/** The numbers that reached each aggregate, in the order of their effects. */
export function numbersByAggregate(effects: readonly Effect[]): Record<string, number[]> {
  const numbers: Record<string, number[]> = {};
  for (const effect of effects) (numbers[effect.aggregate] ??= []).push(effect.n);
  return numbers;
}

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
export const streamOfOwner = STREAM_OF_OWNER;

export async function countEffects(db: Db, consumer: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`SELECT count(*) AS count FROM effects WHERE consumer = ${consumer}`.execute(db);
  return rows[0]?.count ?? 0;
}
