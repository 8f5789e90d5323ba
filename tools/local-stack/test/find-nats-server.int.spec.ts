import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cachedProgram } from '../src/nats-server/cache.js';
import { findNatsServer } from '../src/nats-server/find-nats-server.js';
import { archiveName, releasePlatform } from '../src/nats-server/releases.js';
import { type Search } from '../src/nats-server/route.js';
import { run } from '../src/process/run.js';

const version = '2.14.5';
const platform = releasePlatform();

let folder: string;
let said: string[];
let server: Server | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-find-'));
  said = [];
});
afterEach(() => {
  server?.close();
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** A search of its own empty cache, whose PATH has nothing but the plain tools, and whose downloads go nowhere. */
function search(changes: Partial<Search> = {}): Partial<Search> {
  return {
    version,
    cache: join(folder, 'cache'),
    env: { PATH: join(folder, 'bin') },
    downloadBase: 'http://127.0.0.1:9',
    checksums: { [version]: { [platform]: 'f'.repeat(64) } },
    say: (line) => said.push(line),
    ...changes,
  };
}

/** A program that says what nats-server says when asked for its version. */
function fakeProgram(file: string, itsVersion: string): string {
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho "nats-server: v${itsVersion}"\n`);
  chmodSync(file, 0o755);
  return file;
}

/** Serves an archive as the release page does, redirect included; returns the base URL and the archive's checksum. */
async function serveArchive(itsVersion = version): Promise<{ downloadBase: string; sha256: string }> {
  const archive = archiveName(version, platform);
  const content = archive.replace('.tar.gz', '');
  fakeProgram(join(folder, 'release', content, 'nats-server'), itsVersion);
  await run('tar', ['-czf', join(folder, archive), '-C', join(folder, 'release'), content]);
  const bytes = readFileSync(join(folder, archive));
  server = createServer((request, response) => {
    if (request.url === `/v${version}/${archive}`) response.writeHead(302, { location: '/store' }).end();
    else if (request.url === '/store') response.end(bytes);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return {
    downloadBase: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}

describe('When nats-server is looked for', () => {
  it('takes NATS_SERVER_BIN before anything else', async () => {
    const named = fakeProgram(join(folder, 'mine'), '2.10.1');
    fakeProgram(cachedProgram({ cache: join(folder, 'cache'), version }), version);
    expect(await findNatsServer(search({ env: { NATS_SERVER_BIN: named } }))).toBe(named);
  });

  it('says so when NATS_SERVER_BIN does not work, and looks no further', async () => {
    fakeProgram(cachedProgram({ cache: join(folder, 'cache'), version }), version);
    await expect(findNatsServer(search({ env: { NATS_SERVER_BIN: join(folder, 'absent') } }))).rejects.toThrow(
      /NATS_SERVER_BIN is set to .*absent, which is not/,
    );
  });

  it('takes the cache next, without a word', async () => {
    const cached = fakeProgram(cachedProgram({ cache: join(folder, 'cache'), version }), version);
    fakeProgram(join(folder, 'bin', 'nats-server'), '2.12.8');
    expect(await findNatsServer(search())).toBe(cached);
    expect(said).toEqual([]);
  });

  it('takes the release archive with the published checksum next, and keeps it', async () => {
    const { downloadBase, sha256 } = await serveArchive();
    const found = await findNatsServer(search({ downloadBase, checksums: { [version]: { [platform]: sha256 } } }));
    expect(found).toBe(cachedProgram({ cache: join(folder, 'cache'), version }));
    server?.close();
    expect(await findNatsServer(search())).toBe(found);
  });

  it('refuses an archive with any other checksum and goes on to the PATH', async () => {
    const { downloadBase } = await serveArchive();
    const onPath = fakeProgram(join(folder, 'bin', 'nats-server'), '2.9.10');
    expect(await findNatsServer(search({ downloadBase }))).toBe(onPath);
    expect(said.join('\n')).toMatch(/SHA-256 of nats-server-v2\.14\.5-.* is [0-9a-f]{64} and should be f{64}: refused/);
    expect(existsSync(cachedProgram({ cache: join(folder, 'cache'), version }))).toBe(false);
  });

  it('refuses an archive that holds another version than its name says', async () => {
    const { downloadBase, sha256 } = await serveArchive('2.14.4');
    const onPath = fakeProgram(join(folder, 'bin', 'nats-server'), '2.9.10');
    expect(await findNatsServer(search({ downloadBase, checksums: { [version]: { [platform]: sha256 } } }))).toBe(onPath);
    expect(said.join('\n')).toContain('what was obtained is version 2.14.4');
  });

  it('compiles it with Go before it takes an older one from the PATH', async () => {
    fakeProgram(join(folder, 'bin', 'nats-server'), '2.12.8');
    const go = join(folder, 'bin', 'go');
    writeFileSync(
      go,
      `#!/bin/sh\n[ "$1" = version ] && exit 0\n[ "$2" = github.com/nats-io/nats-server/v2@v${version} ] || exit 1\nprintf '#!/bin/sh\\necho "nats-server: v${version}"\\n' > "$GOBIN/nats-server"\n/bin/chmod 755 "$GOBIN/nats-server"\n`,
    );
    chmodSync(go, 0o755);
    expect(await findNatsServer(search())).toBe(cachedProgram({ cache: join(folder, 'cache'), version }));
    expect(said).toHaveLength(4);
  });

  it('refuses one on the PATH that is older than the oldest supported, and says what to do when nothing is left', async () => {
    fakeProgram(join(folder, 'bin', 'nats-server'), '2.9.9');
    const attempt = findNatsServer(
      search({ cache: join(folder, 'cache'), debianPackage: () => Promise.resolve({ because: 'this is neither Debian nor Ubuntu' }) }),
    );
    await expect(attempt).rejects.toThrow(
      /No nats-server 2\.14\.5 could be found:[\s\S]*is 2\.9\.9, older than 2\.9\.10[\s\S]*neither Debian nor Ubuntu[\s\S]*Do one of these[\s\S]*- set NATS_SERVER_BIN/,
    );
    expect(said).toHaveLength(6);
  });

  it("unpacks the distribution's package last", async () => {
    const debianPackage = (_name: string, into: string) => {
      fakeProgram(join(into, 'usr', 'sbin', 'nats-server'), '2.9.10');
      return Promise.resolve({});
    };
    expect(await findNatsServer(search({ debianPackage }))).toBe(cachedProgram({ cache: join(folder, 'cache'), version: '2.9.10' }));
  });
});
