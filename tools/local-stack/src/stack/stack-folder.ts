import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { StackError } from '../stack-error.js';

/** Makes the folder of a stack, with `logs` in it. Throws StackError when it cannot be written. */
export function makeStackFolder(dir: string): void {
  try {
    mkdirSync(join(dir, 'logs'), { recursive: true });
    // Others may pass through, as PostgreSQL's user must when we are root, and see nothing.
    chmodSync(dir, 0o711);
    chmodSync(join(dir, 'logs'), 0o700);
  } catch (error) {
    throw new StackError(`The folder ${dir} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}
