import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { keepInCache } from './cache.js';
import { oldestVersion } from './releases.js';
import { type Outcome, type Route } from './route.js';
import { withScratchFolder } from '../scratch-folder.js';
import { isAtLeast, probeVersion } from './version.js';

/** Debian's or Ubuntu's package, unpacked beside the system instead of installed into it. */
export const fromDistribution: Route = {
  name: "the distribution's package",
  advice: 'use Debian 12, Ubuntu 23.04 or newer, whose package can be unpacked without root',
  async look(search) {
    return withScratchFolder(async (folder): Promise<Outcome> => {
      const unpacked = await search.debianPackage('nats-server', folder);
      if (unpacked.because !== undefined) return { because: unpacked.because };
      const program = ['usr/sbin/nats-server', 'usr/bin/nats-server'].map((path) => join(folder, path)).find((path) => existsSync(path));
      const version = program === undefined ? undefined : await probeVersion(program);
      if (program === undefined || version === undefined) return { because: 'the package holds no program that runs here' };
      if (!isAtLeast(version, oldestVersion)) return { because: `the package is version ${version}, older than ${oldestVersion}` };
      return keepInCache({ ...search, version }, program);
    });
  },
};
