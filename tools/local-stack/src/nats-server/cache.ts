import { chmodSync, copyFileSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Outcome, type Search } from './route.js';
import { probeVersion } from './version.js';

/** Where the program of a version is kept. */
export function cachedProgram({ cache, version }: Pick<Search, 'cache' | 'version'>): string {
  return join(cache, `nats-server-${version}`, 'nats-server');
}

/** Moves a program that was just obtained into the cache in one step, so that nobody ever sees half of it; refuses one of another version. */
export async function keepInCache(search: Search, program: string): Promise<Outcome> {
  const version = await probeVersion(program);
  if (version === undefined) return { because: 'what was obtained does not run on this machine' };
  if (version !== search.version) return { because: `what was obtained is version ${version}` };
  const kept = cachedProgram(search);
  mkdirSync(dirname(kept), { recursive: true });
  const unfinished = `${kept}.${process.pid}`;
  copyFileSync(program, unfinished);
  chmodSync(unfinished, 0o755);
  renameSync(unfinished, kept);
  return { found: kept };
}
