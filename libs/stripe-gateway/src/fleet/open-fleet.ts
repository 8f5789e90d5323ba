import { openDatabase } from '@tidegate/database/database';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Metrics } from '@tidegate/telemetry/metrics';
import { Fleet } from './fleet.js';
import { fleetMetrics } from './fleet-metrics.js';

export interface OpenFleetOptions {
  config: {
    readonly DATABASE_URL: { readonly value: string };
    readonly STRIPE_SECRET_KEY: { readonly fingerprint: string };
    readonly STRIPE_SLOW_CALL_MS: number;
    readonly STRIPE_MAX_IN_FLIGHT: number;
  };
  service: string;
  instance: string;
  logger: Logger;
  metrics: Metrics;
}

/** A connection for the poll and two for what calls write meanwhile. */
const CONNECTIONS = 3;

/** The database of the fleet for one process: a few connections of its own, so that a copy of the breakers is not old because payments are many. */
export const openFleetDatabase = ({ config, instance, logger }: Pick<OpenFleetOptions, 'config' | 'instance' | 'logger'>) =>
  openDatabase<Record<string, never>>(
    { url: () => config.DATABASE_URL.value, poolSize: CONNECTIONS, applicationName: `${instance} stripe` },
    logger,
  );

/** The breakers and the limiter for a service that only uses them. Startable like a consumer; `close` when no call is made any more. */
export function openFleet(options: OpenFleetOptions): {
  fleet: Fleet;
  start(): Promise<void>;
  stop(): Promise<void>;
  close(): Promise<void>;
} {
  const { config, service, instance, logger, metrics } = options;
  const database = openFleetDatabase(options);
  const fleet = new Fleet({
    db: database.db,
    service,
    instance,
    logger,
    keyFingerprint: () => config.STRIPE_SECRET_KEY.fingerprint,
    slowMs: config.STRIPE_SLOW_CALL_MS,
    maxInFlight: config.STRIPE_MAX_IN_FLIGHT,
  });
  fleetMetrics(metrics, database.db, fleet);
  return {
    fleet,
    start: () => fleet.start(),
    // Work in hand still makes calls until `close`.
    stop: async () => undefined,
    close: async () => {
      await fleet.stop();
      await database.close();
    },
  };
}
