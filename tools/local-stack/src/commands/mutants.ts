import { runScript } from '../scripts.js';

/** `npm run mutants [-- NAME …]`: puts deliberate defects into a copy of the sources and sees whether the suite notices. */
export function mutants(args: readonly string[]): Promise<number> {
  return runScript('chaos/dist/mutants.js', args);
}
