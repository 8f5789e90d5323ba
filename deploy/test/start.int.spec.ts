import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SERVICES } from '@tidegate/messaging/topology';
import { ROOT } from './read-deploy.js';

const runs = promisify(execFile);
let image: string;
beforeAll(() => {
  image = mkdtempSync(join(tmpdir(), 'tidegate-start-'));
  copyFileSync(join(ROOT, 'deploy/docker/start.mjs'), join(image, 'start.mjs'));
  for (const service of SERVICES) program(service, join('services', service, 'bundle', 'main.js'));
  program('tidegate', join('tools', 'cli', 'dist', 'main.js'));
});
afterAll(() => rmSync(image, { recursive: true, force: true }));

/** One that says what it is and what it was given. */
function program(name: string, path: string): void {
  mkdirSync(dirname(join(image, path)), { recursive: true });
  writeFileSync(join(image, path), `console.log(JSON.stringify(['${name}', ...process.argv.slice(2)]))`);
}

const started = async (...args: string[]): Promise<unknown> =>
  JSON.parse((await runs(process.execPath, [join(image, 'start.mjs'), ...args])).stdout);

describe('What the image starts', () => {
  it.each(SERVICES)('is the service %s by its name alone', async (service) => {
    expect(await started(service)).toEqual([service]);
  });

  it.each(['payments list --json', 'receipts --help', 'webhooks replay', 'database migrate', '--help'])(
    'is the command of the operators for "%s", also where a noun is the name of a service',
    async (line) => {
      expect(await started(...line.split(' '))).toEqual(['tidegate', ...line.split(' ')]);
    },
  );

  it('is help where nothing is asked', async () => {
    expect(await started()).toEqual(['tidegate', '--help']);
  });
});
