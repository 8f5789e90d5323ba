import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../repository.js';
import { runScript } from '../scripts.js';
import { StackError } from '../stack-error.js';

/** `npm run bench -- NAME …`: `bench/NAME.ts` with the rest of the arguments. Throws StackError that lists the names when there is no such. */
export async function bench(args: readonly string[]): Promise<number> {
  const [name = '', ...rest] = args;
  const known = benchmarksIn(join(repositoryRoot(), 'bench'));
  if (!known.includes(name)) throw new StackError(`There is no benchmark "${name}"; there ${known.length === 0 ? 'are none yet' : `are: ${known.join(', ')}`}.`);
  return runScript(`bench/${name}.ts`, rest);
}

/** The files that say in their first comment how they are run; the others are their parts. */
function benchmarksIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((file) => /^([\w-]+)\.ts$/.exec(file)?.[1])
    .filter((name) => name !== undefined)
    .filter((name) => readFileSync(join(folder, `${name}.ts`), 'utf8').includes(`bench -- ${name}`))
    .sort();
}
