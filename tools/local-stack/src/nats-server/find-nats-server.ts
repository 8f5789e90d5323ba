import { join } from 'node:path';
import { cacheFolder } from '../cache-folder.js';
import { downloadDebianPackage } from '../debian-package.js';
import { withFolderLock } from '../process/folder-lock.js';
import { StackError } from '../stack-error.js';
import { fromCache } from './from-cache.route.js';
import { fromDistribution } from './from-distribution.route.js';
import { fromEnvironment } from './from-environment.route.js';
import { fromGo } from './from-go.route.js';
import { fromPath } from './from-path.route.js';
import { fromRelease } from './from-release.route.js';
import { oldestVersion, pinnedVersion, releases } from './releases.js';
import { type Route, type Search } from './route.js';
import { probeVersion } from './version.js';

/** In the order in which they are tried. */
export const routes: readonly Route[] = [fromEnvironment, fromCache, fromRelease, fromGo, fromPath, fromDistribution];

/**
 * Path of a nats-server program: the pinned version where it can be had. Says one line per route on the way, none when the first hit needs no
 * explanation (NATS_SERVER_BIN or the cache). Throws StackError with what to do when every route failed.
 */
export async function findNatsServer(overrides: Partial<Search> = {}): Promise<string> {
  const search = completed(overrides);
  const quick = await firstFind([fromEnvironment, fromCache], { ...search, say: () => undefined }, []);
  if (quick !== undefined) return quick;
  // One process at a time: the others find the result in the cache.
  return withFolderLock(join(search.cache, 'nats-server.lock'), () => walk(routes, search), 600_000);
}

/** Path of nats-server 2.9.10, the oldest supported version, as Debian 12 packages it. Throws StackError when it cannot be had. */
export async function findOldestNatsServer(overrides: Partial<Search> = {}): Promise<string> {
  return walk([fromCache, fromPathExactly(oldestVersion), fromDistribution, fromGo], completed({ ...overrides, version: oldestVersion }));
}

function completed(overrides: Partial<Search>): Search {
  return {
    version: pinnedVersion,
    cache: cacheFolder(),
    env: process.env,
    downloadBase: 'https://github.com/nats-io/nats-server/releases/download',
    checksums: releases,
    debianPackage: downloadDebianPackage,
    say: (line) => console.error(line),
    ...overrides,
  };
}

async function walk(candidates: readonly Route[], search: Search): Promise<string> {
  const failures: string[] = [];
  const found = await firstFind(candidates, search, failures);
  if (found !== undefined) return found;
  throw new StackError(
    [
      `No nats-server ${search.version} could be found:`,
      ...failures,
      'Do one of these and try again:',
      ...candidates.map((route) => `  - ${route.advice}`),
    ].join('\n'),
  );
}

async function firstFind(candidates: readonly Route[], search: Search, failures: string[]): Promise<string | undefined> {
  for (const route of candidates) {
    const outcome = await attempt(route, search);
    if ('found' in outcome) {
      search.say(`  nats-server from ${route.name}: ${outcome.found}`);
      return outcome.found;
    }
    const line = `  nats-server from ${route.name}: ${outcome.because}`;
    failures.push(line);
    search.say(line);
  }
  return undefined;
}

async function attempt(route: Route, search: Search): ReturnType<Route['look']> {
  try {
    return await route.look(search);
  } catch (error) {
    if (error instanceof StackError && route === fromEnvironment) throw error;
    return { because: error instanceof Error ? error.message : String(error) };
  }
}

function fromPathExactly(version: string): Route {
  return {
    ...fromPath,
    async look(search) {
      const outcome = await fromPath.look(search);
      return 'found' in outcome && (await probeVersion(outcome.found)) !== version
        ? { because: `${outcome.found} is another version` }
        : outcome;
    },
  };
}
