import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EnvHttpProxyAgent, request } from 'undici';
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
    const download = await fetchArchive(`${search.downloadBase}/v${search.version}/${archive}`);
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

/** 5 s to connect, 10 s of silence at most, 3 minutes in all; follows the redirect to the release store; through the proxy of HTTPS_PROXY where one is set. */
async function fetchArchive(url: string): Promise<{ bytes: Buffer } | { because: string }> {
  const dispatcher = new EnvHttpProxyAgent({ connect: { timeout: 5000 }, headersTimeout: 10_000, bodyTimeout: 10_000 });
  const signal = AbortSignal.timeout(180_000);
  try {
    let address = url;
    for (let hops = 0; hops < 5; hops += 1) {
      const { statusCode, headers, body } = await request(address, { dispatcher, signal });
      if (statusCode === 200) return { bytes: Buffer.from(await body.arrayBuffer()) };
      await body.dump();
      const location = headers['location'];
      if (statusCode < 300 || statusCode > 399 || typeof location !== 'string') return { because: `${address} answered ${statusCode}` };
      address = new URL(location, address).href;
    }
    return { because: `${url} redirects too often` };
  } catch (error) {
    return { because: `${url} could not be fetched: ${error instanceof Error ? error.message : String(error)}` };
  } finally {
    await dispatcher.destroy();
  }
}
