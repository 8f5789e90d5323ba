import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { tryRun } from './process/run.js';

/**
 * Downloads a package of this Debian or Ubuntu and unpacks it into `folder` (as `folder/usr/bin/…`). Needs no root: nothing is installed, and where
 * the machine has no package lists yet they are fetched into the folder as well. `because` says why it did not work.
 */
export async function downloadDebianPackage(name: string, folder: string): Promise<{ because?: string }> {
  const tools = await tryRun('dpkg-deb', ['--version']);
  if (tools.failure !== undefined) return { because: 'this is neither Debian nor Ubuntu' };
  const quick = ['-o', 'Acquire::http::Timeout=5', '-o', 'Acquire::https::Timeout=5', '-o', 'Acquire::Retries=1'];
  let download = await tryRun('apt-get', [...quick, 'download', name], { cwd: folder, timeoutMs: 120_000 });
  if (download.failure !== undefined) {
    const ownLists = [...quick, ...privateState(folder)];
    const update = await tryRun('apt-get', [...ownLists, 'update'], { cwd: folder, timeoutMs: 120_000 });
    if (update.failure !== undefined) return { because: `apt-get update ${update.failure}` };
    download = await tryRun('apt-get', [...ownLists, 'download', name], { cwd: folder, timeoutMs: 120_000 });
  }
  const file = readdirSync(folder).find((entry) => entry.endsWith('.deb'));
  if (download.failure !== undefined || file === undefined) return { because: `apt-get download ${download.failure ?? 'brought nothing'}` };
  const unpack = await tryRun('dpkg-deb', ['-x', join(folder, file), folder]);
  return unpack.failure === undefined ? {} : { because: `dpkg-deb ${unpack.failure}` };
}

function privateState(folder: string): string[] {
  const [state, cache] = [join(folder, 'apt-state'), join(folder, 'apt-cache')];
  mkdirSync(join(state, 'lists', 'partial'), { recursive: true });
  mkdirSync(join(cache, 'archives', 'partial'), { recursive: true });
  return ['-o', `Dir::State=${state}`, '-o', `Dir::Cache=${cache}`, '-o', 'Dir::State::status=/var/lib/dpkg/status'];
}
