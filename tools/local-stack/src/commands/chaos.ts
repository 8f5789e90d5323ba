import { runScript } from '../scripts.js';

/** `npm run chaos -- …`: `chaos/main.ts` with these arguments. */
export function chaos(args: readonly string[]): Promise<number> {
  return runScript('chaos/main.ts', args);
}
