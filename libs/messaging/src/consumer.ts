import { type StreamName } from '@tidegate/contracts/subjects';
import { type Db, openDatabase } from '@tidegate/database/database';
import { noFailpoints } from '@tidegate/database/failpoints';
import { createLogger, type Logger } from '@tidegate/telemetry/logger';
import { connectBroker } from './connection.js';
import { type Handler, Subscriber, type SubscriberTiming } from './subscriber.js';

export { type Db } from '@tidegate/database/database';
export { type LogFields, type Logger } from '@tidegate/telemetry/logger';
export { type Handler, type Incoming, PermanentFailure, TransientFailure } from './incoming.js';

/** One durable of a consumer outside Tidegate. */
export interface Subscription {
  /** `<consumer>-<purpose>`: what the broker remembers it by. */
  durable: string;
  stream: StreamName;
  handler: Handler;
  /** Aggregates worked on at once in this process; 4 by default. */
  concurrency?: number;
  timing?: Partial<SubscriberTiming>;
}

export interface ConsumerOptions {
  /** The consumer's name: its user at the broker, and what its log lines say. */
  name: string;
  subscriptions: readonly Subscription[];
  /** Its own database, brought up to date by `migrateConsumer`. A function is asked at each new connection. */
  databaseUrl: string | (() => string);
  /** Tidegate's broker, with the consumer's user and password: `nats://shop:password@host:4222`. A function is asked at each new connection. */
  natsUrl: string | (() => string);
  /** Connections to the database; 5 by default. */
  poolSize?: number;
  /** JSON lines on standard output by default. */
  logger?: Logger;
}

export interface RunningConsumer {
  /** The pool that handlers' transactions come from. */
  db: Db;
  /** How far each durable has stored its stream without a hole. */
  watermarks(): Promise<Record<string, { epoch: number; position: number }>>;
  /** Takes no more messages, finishes those in hand, and closes its connections. */
  stop(): Promise<void>;
}

/**
 * Starts a consumer of Tidegate's events with a database of its own. Needs neither broker nor database to be there yet. Run as many processes as you like: they
 * share the work, and each event still takes effect once, in order per aggregate.
 */
export async function startConsumer(options: ConsumerOptions): Promise<RunningConsumer> {
  const { name, subscriptions, databaseUrl, natsUrl, poolSize = 5, logger = createLogger({ service: name }) } = options;
  const { db, close } = openDatabase<Record<string, never>>({ url: databaseUrl, poolSize, applicationName: name }, logger);
  const broker = await connectBroker({ servers: natsUrl, name: `${name}-${process.pid}`, service: name, logger });
  const clock = { now: () => new Date() };
  const shared = { db, broker, logger, clock, failpoints: noFailpoints, service: name };
  const subscribers = subscriptions.map((subscription) => new Subscriber({ ...shared, ...subscription }));
  for (const subscriber of subscribers) await subscriber.start();
  return {
    db,
    async watermarks() {
      const marks = subscribers.map(async (one) => {
        const { epoch, position } = await one.watermark();
        return [one.name, { epoch, position }] as const;
      });
      return Object.fromEntries(await Promise.all(marks));
    },
    async stop() {
      await Promise.all(subscribers.map((one) => one.stop()));
      await broker.drain();
      await close();
    },
  };
}
