import pg from 'pg';

/** 0 fine, 1 failed or not done, 2 found something that wants attention. */
export type ExitCode = 0 | 1 | 2;

/** An expected failure: one sentence for a person, one stable code for a script. */
export class Failure extends Error {
  override readonly name = 'Failure';
  constructor(
    readonly code: string,
    message: string,
    /** HTTP status, where the gateway answered. */
    readonly status: number | null = null,
  ) {
    super(message);
  }
}

/** The same failure, with what to do about it. */
export const advised = ({ code, message, status }: Failure, advice: string): Failure => new Failure(code, `${message} ${advice}`, status);

/** Postgres ended the connection, or is ended itself (classes 08 and 57P), or pg says that it is gone. */
export const isConnectionLost = (error: unknown): error is Error =>
  error instanceof pg.DatabaseError
    ? /^(08|57P)/.test(error.code ?? '')
    : error instanceof Error && /^Connection terminated|^Client has encountered a connection error/.test(error.message);

/** What a command met as a Failure: a file, an address or a database that refuses is nobody's bug, and says so itself. Null for anything else. */
export function failureOf(error: unknown): Failure | null {
  if (error instanceof Failure) return error;
  if (error instanceof Error && error.message === 'timeout expired') return new Failure('database.away', 'The database does not answer.');
  if (isConnectionLost(error)) return new Failure('database.lost', `The connection to the database was lost (${error.message}).`);
  if (error instanceof pg.DatabaseError) return new Failure('database.refused', `The database refuses: ${error.message}.`);
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  return syscall === undefined ? null : new Failure(`system.${String(code).toLowerCase()}`, `${message || `${syscall} ${code}`}.`);
}
