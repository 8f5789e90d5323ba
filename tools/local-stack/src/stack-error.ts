/** A failure that the person at the keyboard can act on: its message is one clear sentence and is printed without a stack trace. */
export class StackError extends Error {
  override name = 'StackError';
}

/** The text to show for anything that was thrown: the sentence of a StackError, the stack trace of everything else. */
export function describeFailure(error: unknown): string {
  if (error instanceof StackError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
