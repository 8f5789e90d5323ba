import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { run } from '../src/process/run.js';
import { findKit, type KitSearch, needKit } from '../src/programs/find-kit.js';
import { kits, platformOf } from '../src/programs/kits.js';

let folder: string;
let said: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-kit-'));
  said = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const kept = () => join(folder, 'cache', 'alertmanager-0.25.0-or-newer', 'alertmanager');

function program(file: string, version = '0.28.1'): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho "alertmanager, version ${version} (branch: x)"\n`);
  chmodSync(file, 0o755);
}

const bothIn = (at: string, version?: string) => ['alertmanager', 'amtool'].forEach((name) => program(join(at, name), version));

/** Nothing of this machine is found, and nothing of the network. */
const search = (more: Partial<KitSearch> = {}): Partial<KitSearch> => ({
  cache: join(folder, 'cache'),
  env: { PATH: join(folder, 'bin') },
  debianPackage: () => Promise.resolve({ because: 'this is neither Debian nor Ubuntu' }),
  fetch: (url) => Promise.resolve({ because: `${url} could not be fetched` }),
  say: (line) => void said.push(line),
  ...more,
});

/** A release as GitHub has it: the archive, and the checksums of all archives. */
async function release(sum?: string): Promise<KitSearch['fetch']> {
  const url = kits.alertmanager.release.archive(platformOf());
  const archive = join(folder, url.split('/').at(-1)!);
  bothIn(join(folder, 'release', 'alertmanager-x'));
  await run('tar', ['-czf', archive, '-C', join(folder, 'release'), 'alertmanager-x']);
  const bytes = readFileSync(archive);
  const sums = `${sum ?? createHash('sha256').update(bytes).digest('hex')}  ${url.split('/').at(-1)}\n`;
  return (asked) => Promise.resolve({ bytes: asked === url ? bytes : Buffer.from(sums) });
}

describe('When Alertmanager is looked for', () => {
  it('takes the folder that is named, and says so when it does not do', async () => {
    bothIn(join(folder, 'mine'));
    const named = (at: string) => search({ env: { TIDEGATE_ALERTMANAGER_BIN: join(folder, at) } });
    expect((await findKit('alertmanager', named('mine')))?.['amtool']).toBe(join(folder, 'mine', 'amtool'));
    await expect(findKit('alertmanager', named('absent'))).rejects.toThrow('TIDEGATE_ALERTMANAGER_BIN');
  });

  it('takes the PATH without a word, and not when it is too old', async () => {
    bothIn(join(folder, 'bin'));
    expect((await findKit('alertmanager', search()))?.['alertmanager']).toBe(join(folder, 'bin', 'alertmanager'));
    expect(said).toEqual([]);
    bothIn(join(folder, 'bin'), '0.24.9');
    expect(await findKit('alertmanager', search({ patience: 'seconds' }))).toBeNull();
  });

  it('takes a release whose checksum is the published one, and keeps it', async () => {
    const found = await findKit('alertmanager', search({ fetch: await release() }));
    expect(found?.['alertmanager']).toBe(kept());
    expect(await findKit('alertmanager', search())).toEqual(found);
  });

  it('refuses a release with any other checksum', async () => {
    expect(await findKit('alertmanager', search({ fetch: await release('f'.repeat(64)), patience: 'seconds' }))).toBeNull();
    expect(said.join('\n')).toMatch(/SHA-256 of alertmanager-.* and should be f{64}: refused/);
    expect(existsSync(kept())).toBe(false);
  });

  it('compiles it from a copy of the module, but not for somebody who waits for seconds', async () => {
    const module = join(folder, 'module');
    mkdirSync(module);
    program(join(folder, 'bin', 'go'));
    writeFileSync(
      join(folder, 'bin', 'go'),
      `#!/bin/sh
case "$1" in
  mod) echo '{"Dir": "${module}"}' ;;
  build) while [ "$1" != -o ]; do shift; done; printf '#!/bin/sh\\necho "version 0.28.1"\\n' > "$2"; /bin/chmod 755 "$2" ;;
esac
`,
    );
    expect(await findKit('alertmanager', search({ patience: 'seconds' }))).toBeNull();
    expect((await findKit('alertmanager', search()))?.['alertmanager']).toBe(kept());
    expect(said.join('\n')).toContain('alertmanager is compiled now');
  });

  it('says what to do when there is none', async () => {
    await expect(needKit('alertmanager', search())).rejects.toThrow(/No alertmanager could be found:[\s\S]*TIDEGATE_ALERTMANAGER_BIN/);
  });
});
