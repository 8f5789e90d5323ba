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

/** What a command met as a Failure: a file, an address or a database that refuses is nobody's bug, and says so itself. Null for anything else. */
export function failureOf(error: unknown): Failure | null {
  if (error instanceof Failure) return error;
  if (error instanceof pg.DatabaseError) return new Failure('database.refused', `The database refuses: ${error.message}.`);
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  return syscall === undefined ? null : new Failure(`system.${String(code).toLowerCase()}`, `${message || `${syscall} ${code}`}.`);
}
