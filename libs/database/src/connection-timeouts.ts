const CONNECT_TIMEOUT_MS = 5_000;
/** A server that vanished without a word is noticed by idle connections within half a minute, not after the two hours of the system. */
const KEEP_ALIVE_MS = 10_000;

/** Of every connection to Postgres, so that nobody waits for ever for one that does not answer. */
export const CONNECTION_TIMEOUTS = {
  connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  keepAlive: true,
  keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
} as const;
