import { existsSync } from 'node:fs';
import { cachedProgram } from './cache.js';
import { type Route } from './route.js';
import { probeVersion } from './version.js';

export const fromCache: Route = {
  name: 'the cache',
  advice: 'put the program of that version into the cache',
  async look(search) {
    const program = cachedProgram(search);
    if (!existsSync(program)) return { because: 'empty' };
    return (await probeVersion(program)) === search.version
      ? { found: program }
      : { because: `${program} does not run as version ${search.version}` };
  },
};
