import { join } from 'node:path';
import { tryRun } from '../process/run.js';
import { keepInCache } from './cache.js';
import { type Route } from './route.js';
import { withScratchFolder } from '../scratch-folder.js';

/** Compiles it where Go is installed; takes half a minute on two cores. Go itself checks the sources against its checksum database. */
export const fromGo: Route = {
  name: 'go install',
  advice: 'install Go',
  async look(search) {
    const go = await tryRun('go', ['version'], { env: search.env, timeoutMs: 10_000 });
    if (go.failure !== undefined) return { because: 'Go is not installed' };
    return withScratchFolder(async (folder) => {
      const build = await tryRun('go', ['install', `github.com/nats-io/nats-server/v2@v${search.version}`], {
        env: { ...search.env, GOBIN: folder, CGO_ENABLED: '0' },
        timeoutMs: 420_000,
      });
      if (build.failure !== undefined) return { because: `it ${build.failure}: ${build.output.trim().split('\n').at(-1) ?? ''}` };
      return keepInCache(search, join(folder, 'nats-server'));
    });
  },
};
