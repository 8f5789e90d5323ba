import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchFile } from '../fetch-file.js';
import { run } from '../process/run.js';
import { keepInCache } from './cache.js';
import { archiveName, releasePlatform } from './releases.js';
import { type Route } from './route.js';
import { withScratchFolder } from '../scratch-folder.js';

/** The official archive, believed only when its SHA-256 is the published one. */
export const fromRelease: Route = {
  name: 'the release archive',
  advice: 'let this machine reach github.com',
  async look(search) {
    const platform = releasePlatform();
    const archive = archiveName(search.version, platform);
    const expected = search.checksums[search.version]?.[platform];
    if (expected === undefined) return { because: `no checksum is known of ${archive}` };
    const download = await fetchFile(`${search.downloadBase}/v${search.version}/${archive}`);
    if ('because' in download) return download;
    const actual = createHash('sha256').update(download.bytes).digest('hex');
    if (actual !== expected) return { because: `SHA-256 of ${archive} is ${actual} and should be ${expected}: refused` };
    return withScratchFolder(async (folder) => {
      writeFileSync(join(folder, archive), download.bytes);
      await run('tar', ['-xzf', join(folder, archive), '-C', folder]);
      return keepInCache(search, join(folder, archive.replace('.tar.gz', ''), 'nats-server'));
    });
  },
};
