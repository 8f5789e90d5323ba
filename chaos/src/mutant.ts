import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A deliberate defect, kept as a patch whose first lines say what it breaks and which specs must turn red. */
export interface Mutant {
  name: string;
  file: string;
  defect: string;
  /** Specs from the root of the checkout; the first that fails is enough. */
  specs: readonly string[];
}

/** The patches of `folder`, by name. A patch without its heading is a mistake of ours and throws. */
export function mutantsIn(folder: string): Mutant[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.patch'))
    .sort()
    .map((file) => read(join(folder, file)));
}

/** Whether the patch still fits the sources at `root`: what keeps it from rotting. Answers git's complaint, or null. */
export function misfit(mutant: Mutant, root: string): string | null {
  try {
    git(root, 'apply', '--check', mutant.file);
    return null;
  } catch (error) {
    return (error as { stderr?: Buffer }).stderr?.toString().trim() || String(error);
  }
}

/** Puts the defect into the tree at `root`, or takes it out again. */
export const inject = (mutant: Mutant, root: string): void => git(root, 'apply', mutant.file);
export const remove = (mutant: Mutant, root: string): void => git(root, 'apply', '--reverse', mutant.file);

function read(file: string): Mutant {
  const text = readFileSync(file, 'utf8');
  const defect = /^Defect: (.+)$/m.exec(text)?.[1];
  const specs = /^Caught by: (.+)$/m.exec(text)?.[1]?.split(/\s+/);
  if (!defect || !specs) throw new Error(`${file} must begin with the lines "Defect: …" and "Caught by: …"`);
  return { name: basename(file, '.patch'), file, defect, specs };
}

/** Works outside of a repository too, where the tree is a mere folder. */
function git(cwd: string, ...args: string[]): void {
  execFileSync('git', args, {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, GIT_CEILING_DIRECTORIES: join(cwd, '..') },
  });
}
