import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Seeds of runs that once failed, to be run again by `npm run chaos -- payments --kept`; commit what is added. */
const FILE = join(import.meta.dirname, '..', 'seeds.json');

export const keptSeeds = (): number[] => (existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as number[]) : []);

export function keepSeed(seed: number): void {
  const seeds = new Set([...keptSeeds(), seed]);
  writeFileSync(FILE, `${JSON.stringify([...seeds], null, 2)}\n`);
}
