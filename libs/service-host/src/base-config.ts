import { z } from 'zod';
import { documented, secret, url, urls, wholeNumber } from './settings.js';

/** Connections to the old place and the new one side by side would be two truths, so only who logs in may change while a process runs. */
const placeOf = (urls: string): string => urls.replaceAll(/(^|,|:\/\/)[^/@,]*@/g, '$1');

/** The settings that every service has. Spread into the service's own `z.object({ ...baseSettings({ port: 3002 }), … })`. */
export function baseSettings(defaults: { port: number }) {
  return {
    PORT: documented(wholeNumber({ min: 0, max: 65_535 }).default(defaults.port), {
      doc: 'TCP port of the HTTP listener; 0 takes a free one.',
    }),
    HOST: documented(z.string().default('127.0.0.1'), { doc: 'Address the HTTP listener binds to.' }),
    DATABASE_URL: secret(url('postgres', 'postgresql'), {
      doc: "PostgreSQL, as the service's own login role.",
      fixed: { what: 'the place of the database', of: placeOf },
    }),
    DB_POOL_SIZE: documented(wholeNumber({ min: 1, max: 500 }).default(10), {
      doc: 'Most database connections of one process.',
      unit: 'connections',
    }),
    NATS_URL: secret(urls('nats', 'tls'), {
      doc: "The broker, as the service's own user: nats://user:password@host:port; of a cluster several, separated by commas.",
      fixed: { what: 'the place of the broker', of: placeOf },
    }),
    NATS_STREAM_REPLICAS: documented(wholeNumber({ min: 1, max: 5 }).default(1), {
      doc: "Copies of the service's stream: 3 in a cluster, 1 on a single server.",
      unit: 'copies',
    }),
    NATS_STREAM_MAX_BYTES: documented(wholeNumber({ min: 1024 ** 2 }).default(256 * 1024 ** 2), {
      doc: "Limit of the service's stream, reserved on the broker. A full stream refuses; consumers then read from the outbox.",
      unit: 'bytes',
    }),
    LOG_LEVEL: documented(z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'), {
      doc: 'Least severe log line that is written.',
    }),
    OTEL_EXPORTER_OTLP_ENDPOINT: documented(url('http', 'https').optional(), {
      doc: 'Base URL of an OTLP/HTTP collector; absent means that spans are not exported.',
    }),
    TIDEGATE_FAILPOINT: documented(z.string().optional(), {
      doc: 'Drills only: `name:action[:nth][,…]`, action kill, delay(ms) or error.',
    }),
    TIDEGATE_CLOCK_URL: documented(url('http', 'https').optional(), { doc: 'Drills only: the virtual clock of the simulator.' }),
    SHUTDOWN_GRACE_SECONDS: documented(wholeNumber({ min: 0, max: 10 }).default(1), {
      doc: 'After SIGTERM: how long requests are still taken while load balancers notice.',
      unit: 'seconds',
    }),
    REPLICA: documented(wholeNumber({ min: 1, max: 1000 }).default(1), {
      doc: 'Number of this replica; part of its name in leases and traces.',
    }),
  };
}

export type BaseConfig = z.infer<z.ZodObject<ReturnType<typeof baseSettings>>>;
