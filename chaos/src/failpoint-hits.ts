import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Arena } from './arena.js';
import { type Random } from './seed.js';

/** The names of all failpoints of the product. */
export const failpointNames = (arena: Arena): string[] =>
  JSON.parse(readFileSync(join(arena.stack.dir, 'failpoints.json'), 'utf8')) as string[];

/** TIDEGATE_FAILPOINT of one process: at the first `times` hits of each of its failpoints it is held up, or, a quarter of the time, fails. */
export function annoyances(names: readonly string[], service: string, times: number, random: Random): string {
  const nth = Array.from({ length: times }, (_, i) => i + 1);
  return names
    .filter((name) => name.startsWith(`${service}.`))
    .flatMap((name) => nth.map((n) => `${name}:${random.chance(0.25) ? 'error' : 'delay(20)'}:${n}`))
    .join(',');
}

/** How often each failpoint was hit by now, as the logs of all processes say. */
export function failpointHits(arena: Arena): Map<string, number> {
  const hits = new Map<string, number>();
  const logs = new Set(arena.stack.processes().map(({ log }) => log));
  for (const log of logs) {
    for (const [, name] of read(log).matchAll(/"event":"failpoint_hit","name":"([^"]+)"/g)) hits.set(name!, (hits.get(name!) ?? 0) + 1);
  }
  return hits;
}

/** Not every process writes a log from the start. */
function read(log: string): string {
  try {
    return readFileSync(log, 'utf8');
  } catch {
    return '';
  }
}
