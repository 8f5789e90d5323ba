import { type StreamName } from '@tidegate/contracts/subjects';
import { type Db } from '@tidegate/database/database';
import { type Failpoints } from '@tidegate/database/failpoints';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Metrics } from '@tidegate/telemetry/metrics';
import { type Broker } from './broker.js';
import { type Handler } from './incoming.js';
import { type Place } from './position-header.js';

export { type Handler, type Incoming, PermanentFailure, TransientFailure } from './incoming.js';

export interface SubscriberOptions {
  db: Db;
  broker: Broker;
  failpoints: Failpoints;
  logger: Logger;
  metrics?: Metrics;
  /** For back-off; leases use the database's clock. */
  clock: { now(): Date };
  service: string;
  durable: string;
  stream: StreamName;
  handler: Handler;
  /** The live generation by default. */
  generation?: number;
  /** Aggregates worked on at once in this process; 4 by default. */
  concurrency?: number;
  /** Unique per process; made up by default. */
  instance?: string;
  timing?: Partial<SubscriberTiming>;
}

/** All in milliseconds. */
export interface SubscriberTiming {
  /** Age at which a gap is filled from the owner's outbox. */
  gapAfterMs: number;
  /** How often the owner's head is asked. */
  headCheckMs: number;
  /** Longest pause between two looks for due lanes. */
  pollMs: number;
  laneLeaseMs: number;
  firstRetryMs: number;
  longestRetryMs: number;
  /** A message that has failed for this long becomes dead. */
  giveUpAfterMs: number;
}

export class Subscriber {
  constructor(readonly options: SubscriberOptions) {}
  start(): Promise<void> {
    throw new Error('not built');
  }
  stop(): Promise<void> {
    throw new Error('not built');
  }
  /** There may be work in the inbox. */
  signal(): void {
    throw new Error('not built');
  }
  watermark(): Promise<Place> {
    throw new Error('not built');
  }
}
