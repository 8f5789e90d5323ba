import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { repositoryRoot } from '../src/repository.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tidegate-help-'));
  const bin = join('tools', 'local-stack', 'bin');
  cpSync(join(repositoryRoot(), bin), join(root, bin), { recursive: true });
  mkdirSync(join(root, 'node_modules', '.bin'), { recursive: true });
  symlinkSync(process.execPath, join(root, 'node_modules', '.bin', 'node'));
});
afterEach(() => rmSync(root, { recursive: true }));

function built(file: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), 'console.log("the last build says", ...process.argv.slice(2));');
}

const asked = (...args: string[]) => promisify(execFile)(process.execPath, [join(root, 'tools/local-stack/bin/bootstrap.mjs'), ...args]);

/** Where nothing can be installed or built. */
describe('--help of a command', () => {
  it.each([
    ['bench', '--help'],
    ['chaos', '--help'],
    ['chaos', 'payments', '-h'],
    ['start', '--help'],
  ])('is answered by the last build: %s %s', async (...args) => {
    built('tools/local-stack/dist/main.js');
    built('chaos/dist/main.js');
    expect((await asked(...args)).stdout).toBe(`the last build says ${args.join(' ')}\n`);
  });

  it('takes a build where there is none of what answers', async () => {
    await expect(asked('bench', '--help')).rejects.toThrow('package-lock.json');
    built('tools/local-stack/dist/main.js');
    await expect(asked('chaos', '--help')).rejects.toThrow('package-lock.json');
  });

  it('is no other command', async () => {
    built('tools/local-stack/dist/main.js');
    await expect(asked('bench', 'ingest')).rejects.toThrow('package-lock.json');
  });
});
