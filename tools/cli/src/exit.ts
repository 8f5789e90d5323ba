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
