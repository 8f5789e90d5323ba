import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Arena } from './arena.js';
import { type Random } from './seed.js';

/** The names of all failpoints of the product. */
export const failpointNames = (arena: Arena): string[] =>
  JSON.parse(readFileSync(join(arena.stack.dir, 'failpoints.json'), 'utf8')) as string[];

/** TIDEGATE_FAILPOINT of one process: at the first `times` hits of each of these failpoints it is held up, or, a quarter of the time, fails. */
export function annoyances(names: readonly string[], times: number, random: Random): string {
  const nth = Array.from({ length: times }, (_, i) => i + 1);
  return names.flatMap((name) => nth.map((n) => `${name}:${random.chance(0.25) ? 'error' : 'delay(20)'}:${n}`)).join(',');
}

/** The failpoints that did this (or anything, when absent), as these lines of a log say. */
export function failpointsHitIn(log: string, action = String.raw`\w+`): string[] {
  return [...log.matchAll(new RegExp(`"event":"failpoint_hit","name":"([^"]+)","action":"${action}"`, 'g'))].map((match) => match[1]!);
}

/** How often each failpoint was hit by now, as the logs of all processes say. */
export function failpointHits(arena: Arena): Map<string, number> {
  const hits = new Map<string, number>();
  const logs = new Set(arena.stack.processes().map(({ log }) => log));
  for (const log of logs) for (const name of failpointsHitIn(read(log))) hits.set(name, (hits.get(name) ?? 0) + 1);
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
