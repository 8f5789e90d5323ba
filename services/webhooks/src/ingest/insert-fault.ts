/**
 * What an insert failed on. `row`: a value of the row itself, another row would pass. `store`: Postgres is away, refuses connections, is
 * shutting down or full; every row would fail. `other`: perhaps this transaction only (a deadlock), worth trying row by row.
 */
export type InsertFault = 'row' | 'store' | 'other';

/** Classes of SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const ROW_CLASSES = ['22', '23', '54'];
const STORE_CLASSES = ['08', '25', '28', '3D', '53', '57', '58'];

export function insertFault(error: unknown): InsertFault {
  const code = sqlStateOf(error);
  if (code === null) return isConnectionError(error) ? 'store' : 'other';
  const errorClass = code.slice(0, 2);
  if (ROW_CLASSES.includes(errorClass)) return 'row';
  return STORE_CLASSES.includes(errorClass) ? 'store' : 'other';
}

/** Each has a digit; the system's EPIPE is as long and has none. */
function sqlStateOf(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code) ? code : null;
}

/** node-postgres reports a lost or refused connection by a system error, or by one of these messages without any code. */
function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as NodeJS.ErrnoException).code;
  if (typeof code === 'string' && /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_|EHOST|ENET)/.test(code)) return true;
  return /connection (terminated|timeout)|terminating connection|timeout exceeded when trying to connect|client has encountered a connection error|not queryable|pool (is )?(closed|ended)|after calling end/i.test(
    error.message,
  );
}
