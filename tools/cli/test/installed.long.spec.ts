import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { operatorWorld, type OperatorWorld } from './operator-world.js';

const BIN = join(import.meta.dirname, '..', 'bin', 'tidegate.mjs');

let world: OperatorWorld;
let empty: TestDatabase;
beforeAll(async () => {
  [world, empty] = await Promise.all([operatorWorld(), postgresForTests()]);
}, 120_000);
afterAll(async () => {
  await world?.stop();
  await empty?.drop();
});

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}
/** The installed command as a process of its own, outside of any checkout. */
const installed = (args: string[], env: Record<string, string>): Promise<Ran> =>
  new Promise((resolve) => {
    const options = { env: { PATH: process.env['PATH'] ?? '', ...env }, cwd: tmpdir(), timeout: 30_000 };
    execFile(process.execPath, [BIN, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
const settings = () => ({ TIDEGATE_URL: world.url, TIDEGATE_API_KEY: world.key });

describe('The installed command', () => {
  it('exits 0 with one JSON document on stdout and nothing else', async () => {
    const { code, stdout, stderr } = await installed(['breaker', 'status', '--json'], settings());
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({ data: expect.any(Array) });
  });

  it('exits 2 when it found something, without colours where no terminal is', async () => {
    const { code, stdout } = await installed(['outbox', 'status'], settings());
    expect([code, stdout]).toEqual([2, expect.stringContaining('! receipts does not answer')]);
    expect(stdout).not.toContain('\u001b');
  });

  it('exits 1 when it failed or was not told to go on', async () => {
    expect((await installed(['tenants', 'list'], { ...settings(), TIDEGATE_URL: 'http://127.0.0.1:9' })).code).toBe(1);
    const asked = await installed(['tenants', 'create', 'lyon', '--reason', 'opening'], settings());
    expect([asked.code, asked.stdout]).toEqual([1, expect.stringContaining('Nothing was changed.')]);
    expect((await installed(['nonsense'], settings())).code).toBe(1);
  });

  it('makes the first tenant and key on the database, before any key exists', async () => {
    const env = { DATABASE_URL: empty.urlFor('gateway') };
    const tenant = await installed(['tenants', 'create', 'first', '--reason', 'set-up', '--yes'], env);
    expect([tenant.code, tenant.stderr]).toEqual([0, '']);
    const key = await installed(['keys', 'create', '--tenant', 'first', '--scopes', 'ops', '--reason', 'set-up', '--yes', '--json'], env);
    expect(JSON.parse(key.stdout)).toMatchObject({ done: true, result: { tenant: 'first', key: expect.stringMatching(/^tg_test_/) } });
    const wrong = await installed(['keys', 'create', '--tenant', 'nobody', '--scopes', 'ops', '--reason', 'x', '--yes'], env);
    expect([wrong.code, wrong.stderr]).toEqual([1, 'Failed: There is no tenant nobody; make it first.\n']);
  });
});
