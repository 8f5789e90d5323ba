import { globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { describe, jest } from '@jest/globals';
import { shareOf } from './share-of.js';

/** What the most patient of these specs asks for: the last one to say so would decide for all. */
const TIMEOUT_MS = 300_000;
const NOT_OURS = ['node_modules', 'dist', 'bundle', '.tidegate', '.nx', '.git'];

/**
 * Declares a share of all specs of a kind in one file: Jest loads the product anew for each file, which takes longer than many a spec itself. `suite` is the path
 * of a file `KIND/NN.suite.ts`; those of its folder share the `*.KIND.spec.ts`.
 */
export function specsTogether(suite: string): void {
  const folder = dirname(suite);
  const root = join(folder, '..', '..', '..', '..');
  const specs = globSync(`**/*.${basename(folder)}.spec.ts`, {
    cwd: root,
    exclude: (path) => NOT_OURS.includes(basename(path)),
  });
  const suites = globSync('*.suite.ts', { cwd: folder }).sort();
  const load = createRequire(suite);
  for (const spec of shareOf(specs.sort(), suites.indexOf(basename(suite)), suites.length))
    describe(spec, () => void load(join(root, spec)));
  jest.setTimeout(TIMEOUT_MS);
}
