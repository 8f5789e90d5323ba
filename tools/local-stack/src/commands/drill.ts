import { runScript } from '../scripts.js';

/** `npm run drill -- NAME|all`: a fault, its alert, its page, and nothing left. */
export function drill(args: readonly string[]): Promise<number> {
  return runScript('chaos/dist/drills/main.js', args);
}
