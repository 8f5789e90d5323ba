import { type Logger } from '@tidegate/telemetry/logger';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { CONNECTION_TIMEOUTS } from './connection-timeouts.js';
import { PreparingClient } from './preparing-client.js';
import { type WatchedConfig } from './watched-client.js';

export interface DatabaseConfig {
  /** A function is asked at each new connection: its password may have changed. */
  url: string | (() => string);
  /** Most connections this process holds at once. */
  poolSize: number;
  /** Shown in pg_stat_activity. */
  applicationName: string;
  /** A connection on which something was asked and nothing answered for so long is given up; longer than statements may take, unless told. */
  answerWithinMs?: number;
}

/** A database whose tables the caller names in raw SQL, or in its own `Kysely<Tables>`. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the tables of a service are known to that service only
export type Db = Kysely<any>;

export interface Database<T> {
  db: Kysely<T>;
  pool: pg.Pool;
  close(): Promise<void>;
}

const STATEMENT_TIMEOUT_MS = 15_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000;
/** Loops come round each second: a connection that is closed in between costs both sides several milliseconds each time. */
const IDLE_CONNECTION_MS = 60_000;
const INT8 = 20;

/**
 * A pool that survives the loss of its server: without an `error` listener an idle connection that breaks ends the process. `int8` comes as a number
 * (ours stay far below 2^53). No statement and no forgotten transaction lives longer than 15 s; a server that says nothing for longer is taken for gone.
 */
export function openDatabase<T>(config: DatabaseConfig, logger: Logger): Database<T> {
  const { url, answerWithinMs } = config;
  const watched: WatchedConfig = answerWithinMs === undefined ? {} : { answerWithinMs };
  const pool = new pg.Pool({
    ...(typeof url === 'string' ? { Client: PreparingClient, connectionString: url } : { Client: clientAsking(url) }),
    ...watched,
    max: config.poolSize,
    application_name: config.applicationName,
    ...CONNECTION_TIMEOUTS,
    idleTimeoutMillis: IDLE_CONNECTION_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    types: { getTypeParser },
  });
  const onError = (err: Error) =>
    logger.warn({ event: 'database_connection_lost', err }, 'A database connection broke; the next query opens another');
  pool.on('error', onError);
  pool.on('connect', (client) => client.on('error', onError));
  const db = new Kysely<T>({ dialect: new PostgresDialect({ pool }) });
  let closing: Promise<void> | undefined;
  return { db, pool, close: () => (closing ??= db.destroy()) };
}

const clientAsking = (url: () => string) =>
  class extends PreparingClient {
    constructor(options?: WatchedConfig) {
      super({ ...options, connectionString: url() });
    }
  };

const getTypeParser = ((oid: number, format: 'text' | 'binary' = 'text') =>
  oid === INT8 && format === 'text' ? toSafeNumber : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser;

function toSafeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`Bug: int8 ${text} does not fit a number`);
  return value;
}
