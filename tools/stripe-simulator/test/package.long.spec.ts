import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const source = join(import.meta.dirname, '..');
const modules = join(source, '../../node_modules');
const folder = mkdtempSync(join(tmpdir(), 'stripe-simulator-package-'));
const user = join(folder, 'user');
let child: ChildProcess | undefined;

const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as { dependencies?: Record<string, string> };
const npm = (cwd: string, ...args: string[]): string =>
  execFileSync('npm', [...args, '--no-audit', '--no-fund', '--silent'], { cwd, encoding: 'utf8' });
const pack = (cwd: string): string => join(folder, npm(cwd, 'pack', '--ignore-scripts', '--pack-destination', folder).trim());

/** What `npm pack` makes of a fresh build, in an empty folder outside the workspace; its dependencies come from this workspace, offline. */
beforeAll(() => {
  const staged = join(folder, 'staged');
  mkdirSync(staged);
  for (const part of ['package.json', 'README.md', 'LICENSE', 'data', 'page'])
    cpSync(join(source, part), join(staged, part), { recursive: true });
  execFileSync(process.execPath, [join(source, 'scripts/build.mjs'), join(staged, 'dist')]);
  const dependencies = Object.keys(manifest.dependencies ?? {}).map((name) => pack(join(modules, name)));
  mkdirSync(user);
  writeFileSync(join(user, 'package.json'), '{"name":"user","private":true,"type":"module"}');
  npm(user, 'install', '--offline', pack(staged), ...dependencies);
}, 120_000);

afterAll(() => {
  end('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** npx runs the program as its grandchild, so the signal goes to the whole group. */
function end(signal: NodeJS.Signals): void {
  if (child?.exitCode === null && child.signalCode === null) process.kill(-child.pid!, signal);
}

describe('The package', () => {
  it('brings its licences and its data, and neither sources nor tests', () => {
    const installed = join(user, 'node_modules/@tidegate/stripe-simulator');
    for (const file of ['LICENSE', 'README.md', 'data/LICENSE.stripe-node', 'data/schema.json', 'page/index.html', 'dist/simulator.d.ts'])
      expect([file, existsSync(join(installed, file))]).toEqual([file, true]);
    const files = readdirSync(installed, { recursive: true, encoding: 'utf8' });
    expect(files.filter((file) => file.startsWith('src') || /\.spec\.|\.map$/.test(file))).toEqual([]);
  });

  it('depends on nothing else of this repository, and on little', () => {
    const names = Object.keys(manifest.dependencies ?? {});
    expect(names.filter((name) => name.startsWith('@tidegate/'))).toEqual([]);
    expect(names.length).toBeLessThanOrEqual(3);
    expect(Object.values(manifest.dependencies ?? {}).every((range) => range.startsWith('^'))).toBe(true);
  });

  it('is started by npx and answers', async () => {
    child = spawn('npx', ['--no-install', 'stripe-simulator', '--port', '0', '--self-check'], {
      cwd: user,
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    const said: string[] = [];
    const lines = createInterface({ input: child.stdout! }).on('line', (line) => said.push(line));
    const [line] = (await once(lines, 'line')) as [string];
    const { event, url } = JSON.parse(line) as { event: string; url: string };
    expect(event).toBe('listening');
    const answer = await fetch(`${url}/v1/account`, { headers: { Authorization: 'Bearer sk_test_packaged0001' } });
    expect(answer.status).toBe(200);
    end('SIGTERM');
    await once(lines, 'close');
    expect(said).toEqual([line]);
  }, 60_000);

  it('is used from TypeScript with its types, strictly', () => {
    writeFileSync(join(user, 'use.ts'), PROGRAM);
    const options = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true, target: 'es2024' };
    const compilerOptions = { ...options, module: 'nodenext', lib: ['es2024', 'dom'], types: [] };
    writeFileSync(join(user, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }));
    execFileSync(process.execPath, [join(modules, 'typescript/lib/tsc.js'), '-p', user], { stdio: 'inherit' });
    writeFileSync(join(user, 'use.mjs'), PROGRAM.replaceAll(/: \w+(?= =)/g, '').replace(/import \{ type.*\n/, ''));
    expect(execFileSync(process.execPath, ['use.mjs'], { cwd: user, encoding: 'utf8' })).toBe('1 hang []\n');
  }, 60_000);
});

const PROGRAM = `import { startSimulator } from '@tidegate/stripe-simulator';
import { type FaultSpec } from '@tidegate/stripe-simulator/faults/fault';

const simulator = await startSimulator({ port: 0, seed: 1, apiKeys: ['sk_test_packaged0001'], selfCheck: true });
const fault: FaultSpec = { fault: 'hang', route: 'POST /v1/refunds' };
const name: string = simulator.addFault(fault).fault;
await fetch(simulator.url + '/v1/customers', { method: 'POST', headers: { Authorization: 'Bearer sk_test_packaged0001' } });
console.log(simulator.truth(['customers']).customers.length, name, simulator.world.selfCheck?.faults);
await simulator.close();
`;
