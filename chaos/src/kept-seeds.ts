import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Seeds of runs that once failed, to be run again by `npm run chaos -- payments --kept`; commit what is added, with the fix. */
const FILE = join(import.meta.dirname, '..', 'seeds.json');

export const keptSeeds = (): number[] => (existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as number[]) : []);

function keepSeed(seed: number): void {
  const seeds = new Set([...keptSeeds(), seed]);
  writeFileSync(FILE, `[${[...seeds].join(', ')}]\n`);
}

/** A run from this seed, which is kept when the run fails. */
export async function keptWhenItFails(seed: number, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    keepSeed(seed);
    throw error;
  }
}
