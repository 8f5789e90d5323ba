import { runScript } from '../scripts.js';

/** `npm run chaos -- …`: the program of `chaos/` with these arguments. */
export function chaos(args: readonly string[]): Promise<number> {
  return runScript('chaos/dist/main.js', args);
}
