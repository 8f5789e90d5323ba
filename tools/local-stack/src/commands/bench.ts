import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../repository.js';
import { runScript } from '../scripts.js';
import { StackError } from '../stack-error.js';

/** `npm run bench -- NAME …`: `bench/src/NAME.bench.ts`, built, with the rest of the arguments. Throws StackError that lists the names when there is no such. */
export async function bench(args: readonly string[]): Promise<number> {
  const [name = '', ...rest] = args;
  const known = benchmarks();
  if (!known.includes(name))
    throw new StackError(`There is no benchmark "${name}"; there ${known.length === 0 ? 'are none yet' : `are: ${known.join(', ')}`}.`);
  return runScript(`bench/dist/${name}.bench.js`, rest);
}

/** By their sources: a build may still hold what has been removed. */
function benchmarks(): string[] {
  const folder = join(repositoryRoot(), 'bench', 'src');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((file) => /^([\w-]+)\.bench\.ts$/.exec(file)?.[1] ?? [])
    .sort();
}
