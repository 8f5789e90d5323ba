import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { transformFileSync } from '@swc/core';

const source = join(import.meta.dirname, '..');
let built: string;
const children: ChildProcess[] = [];

/** Builds into a folder of its own, so that a stale dist can't pass for the source. */
beforeAll(() => {
  built = mkdtempSync(join(tmpdir(), 'stripe-simulator-built-'));
  writeFileSync(join(built, 'package.json'), '{"type":"module"}');
  symlinkSync(join(source, '..', '..', 'node_modules'), join(built, 'node_modules'));
  cpSync(join(source, 'data'), join(built, 'data'), { recursive: true });
  for (const file of readdirSync(join(source, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || file.endsWith('.spec.ts')) continue;
    const target = join(built, 'dist', file.replace(/\.ts$/, '.js'));
    mkdirSync(join(target, '..'), { recursive: true });
    const options = { configFile: join(source, '../../.swcrc'), sourceMaps: false } as const;
    writeFileSync(target, transformFileSync(join(source, 'src', file), options).code);
  }
});
afterAll(() => rmSync(built, { recursive: true }));

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function start(args: string[], env: Record<string, string>): Promise<{ child: ChildProcess; line: Record<string, unknown> }> {
  const child = spawn(process.execPath, [join(built, 'dist/main.js'), ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const [text] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
  return { child, line: JSON.parse(text) as Record<string, unknown> };
}

describe('The command', () => {
  it('prints one line of JSON when it listens, keeps its state, and stops with 0 on SIGTERM although a request hangs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'stripe-simulator-'));
    const env = {
      PORT: '0',
      STRIPE_SECRET_KEY: 'sk_test_command00001',
      STRIPE_WEBHOOK_SECRET: 'whsec_a,whsec_b',
      STRIPE_WEBHOOK_URL: 'http://127.0.0.1:9/webhooks',
    };
    const args = ['--self-check', '--state', join(folder, 'state.json'), '--delivery-schedule-ms', '50,100'];
    const { child, line } = await start(args, env);
    expect(line).toMatchObject({ service: 'stripe-simulator', event: 'listening', restored: false });
    const url = String(line['url']);
    const headers = { Authorization: 'Bearer sk_test_command00001' };
    const endpoints = (await (await fetch(`${url}/v1/webhook_endpoints`, { headers })).json()) as { data: object[] };
    expect(endpoints.data).toMatchObject([{ url: 'http://127.0.0.1:9/webhooks', status: 'enabled', api_version: '2026-10-28.endive' }]);
    await fetch(`${url}/__faults`, { method: 'POST', body: '{"fault":"hang"}' });
    const hanging = fetch(`${url}/v1/customers`, { headers }).catch(() => 'dropped');
    await fetch(`${url}/healthz`);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(await hanging).toBe('dropped');
    const again = await start(args, env);
    expect(again.line).toMatchObject({ event: 'listening', restored: true });
    again.child.kill('SIGTERM');
    expect(await once(again.child, 'exit')).toEqual([0, null]);
    rmSync(folder, { recursive: true });
  }, 60_000);

  it('holds its answers against the API description when told so: a deviation is a line in the log, and 2 at the end', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'stripe-simulator-'));
    const state = join(folder, 'state.json');
    const headers = { Authorization: 'Bearer sk_test_command00001' };
    const first = await start(['--port', '0', '--state', state], {});
    await fetch(`${first.line['url']}/v1/customers`, { method: 'POST', headers });
    first.child.kill('SIGTERM');
    await once(first.child, 'exit');
    writeFileSync(state, readFileSync(state, 'utf8').replace('"delinquent":false', '"delinquent":"no"'));
    const { child, line } = await start(['--port', '0', '--state', state], { SIMULATOR_SELF_CHECK: 'true' });
    const told = once(createInterface({ input: child.stdout! }), 'line') as Promise<[string]>;
    await fetch(`${line['url']}/v1/customers`, { headers });
    expect(JSON.parse((await told)[0])).toMatchObject({
      level: 'error',
      event: 'self_check_failed',
      deviation: expect.stringContaining('delinquent'),
    });
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([2, null]);
    rmSync(folder, { recursive: true });
  }, 60_000);

  it.each([
    [['--port', 'many'], {}, '--port must be a whole number'],
    [[], { STRIPE_WEBHOOK_URL: 'http://127.0.0.1:9' }, 'A webhook URL needs STRIPE_WEBHOOK_SECRET'],
    [['--colour'], {}, "Unknown option '--colour'"],
  ])('says in one sentence what is wrong with %j', async (args, env, sentence) => {
    const child = spawn(process.execPath, [join(built, 'dist/main.js'), ...args], { env: { PATH: '', ...env } });
    children.push(child);
    let said = '';
    child.stderr.on('data', (chunk) => (said += String(chunk)));
    expect((await once(child, 'close'))[0]).toBe(1);
    expect(said).toContain(sentence);
  });
});
