import { type NatsConnection } from '@nats-io/transport-node';
import { type Logger } from '@tidegate/telemetry/logger';
import { type TopologyOptions } from './topology.js';

/** A connection to the broker that is kept for ever: it may be away at the start and at any time later. */
export interface Broker {
  /** The service whose NATS user this is. */
  readonly service: string;
  readonly topology: TopologyOptions;
  /** The process's. */
  readonly logger: Logger;
  readonly connected: boolean;
  /** Resolves when a connection stands; at once when one does. Rejects after `drain`. */
  connection(): Promise<NatsConnection>;
  /** Calls back after the first connect and after every reconnect, at once when connected now. Returns what ends it. */
  onConnected(listener: () => void): () => void;
  /** Calls back when the connection is lost. */
  onDisconnected(listener: () => void): () => void;
  /** A round trip to the server within `timeoutMs`; throws BrokerAway. For readiness. */
  ping(timeoutMs?: number): Promise<void>;
  /** Sends what is queued, ends subscriptions and closes. */
  drain(): Promise<void>;
}

/** No connection to the broker stands right now. */
export class BrokerAway extends Error {
  constructor(message = 'The broker is away') {
    super(message);
    this.name = 'BrokerAway';
  }
}
