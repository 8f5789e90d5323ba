import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { natsPermissions, natsPermissionsOfConsumer } from '@tidegate/messaging/topology';
import { eventually } from '@tidegate/test-harness/eventually';
import { natsForTests, type TestNats } from '@tidegate/test-harness/nats';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import pg from 'pg';
import { type Publisher, startPublisher } from './tidegate.js';

const EXAMPLE = join(import.meta.dirname, '..');
const ROOT = join(EXAMPLE, '../..');
const folder = mkdtempSync(join(tmpdir(), 'tidegate-consumer-'));
const shopFolder = join(folder, 'shop');
const installed = (name: string) => join(shopFolder, 'node_modules/@tidegate', name);

interface Manifest {
  exports?: Record<string, unknown>;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}
const read = (path: string) => readFileSync(path, 'utf8');
const manifestOf = (name: string) => JSON.parse(read(join(installed(name), 'package.json'))) as Manifest;
const execute = promisify(execFile);
/** What a command says on its output; when it fails, all that it said is the error. */
const run = (file: string, args: readonly string[], cwd: string, env = process.env) =>
  execute(file, args, { cwd, env }).then(
    ({ stdout }) => stdout,
    (error: { stdout: string; stderr: string }) => {
      throw new Error(`${file} ${args.join(' ')}\n${error.stdout}${error.stderr}`);
    },
  );

/** The range that this repository says, and therefore the package. */
const KYSELY = (JSON.parse(read(join(ROOT, 'package.json'))) as Manifest).dependencies?.['kysely'] ?? '';

/** The versions that this repository is tested with, so that nothing new comes from the registry. */
function sameVersions(): string {
  const { packages } = JSON.parse(read(join(ROOT, 'package-lock.json'))) as { packages: Record<string, { link?: true }> };
  const theirs = Object.entries(packages).filter(([path, { link }]) => path.startsWith('node_modules/') && !link);
  return JSON.stringify({ name: 'shop', lockfileVersion: 3, packages: { '': { name: 'shop' }, ...Object.fromEntries(theirs) } });
}

/** The example's sources in a folder that is not in the workspace, with both packages as `npm install` lays them down. */
async function installShop(): Promise<void> {
  const kit = await run(process.execPath, [join(ROOT, 'libs/messaging/kit/pack.mjs'), folder], folder);
  for (const part of ['src', 'migrations']) cpSync(join(EXAMPLE, part), join(shopFolder, part), { recursive: true });
  writeFileSync(join(shopFolder, 'package.json'), JSON.stringify({ name: 'shop', type: 'module', dependencies: { kysely: KYSELY } }));
  writeFileSync(join(shopFolder, 'package-lock.json'), sameVersions());
  const quietly = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  await run('npm', ['install', ...quietly, ...kit.trim().split('\n')], shopFolder);
}

let tidegate: TestDatabase;
let own: TestDatabase;
let nats: TestNats;
let payments: Publisher;
let admin: pg.Client;
const children: ChildProcess[] = [];

beforeAll(async () => {
  const durable = { service: 'shop', durable: 'shop-payments', stream: 'PAYMENTS_EVENTS' } as const;
  const users = [
    { user: 'payments', password: 'payments', permissions: natsPermissions('payments') },
    { user: 'shop', password: 'shop', permissions: natsPermissionsOfConsumer('shop', [durable]) },
  ];
  [tidegate, own, nats] = await Promise.all([
    postgresForTests(),
    postgresForTests({ migrate: 'none' }),
    natsForTests({ users }),
    installShop(),
  ]);
  payments = await startPublisher(tidegate.urlFor('payments'), nats.url('payments'));
  admin = new pg.Client({ connectionString: own.url });
  await admin.connect();
}, 120_000);

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await admin?.end();
  await payments?.stop();
  await nats?.stop();
  await Promise.all([tidegate?.drop(), own?.drop()]);
  rmSync(folder, { recursive: true, force: true });
});

/** What the README tells consumers to import of messaging. */
const entries = () => Object.keys(manifestOf('messaging').exports ?? {}).map((entry) => entry.replace(/^\./, '@tidegate/messaging'));
const shopUrl = () => own.url.replace(/\/\/[^@]*@/, '//shop:shop-in-tests@');

function startShop(): ChildProcess {
  const env = { PATH: process.env['PATH'], SHOP_DATABASE_URL: shopUrl(), NATS_URL: nats.url('shop'), SHOP_TENANT: 'default' };
  const child = spawn(process.execPath, ['dist/main.js'], { cwd: shopFolder, env, stdio: ['ignore', 'ignore', 'inherit'] });
  children.push(child);
  return child;
}

const shipped = async (): Promise<string[]> =>
  (await admin.query<{ payment_id: string }>('SELECT payment_id FROM shop.shipments ORDER BY payment_id')).rows.map(
    (row) => row.payment_id,
  );

describe('The consumer kit, installed outside of the workspace', () => {
  it('brings what a consumer needs, and no other package of this repository, no sources and no tests', () => {
    expect(readdirSync(join(shopFolder, 'node_modules/@tidegate')).sort()).toEqual(['contracts', 'messaging']);
    for (const name of ['contracts', 'messaging']) {
      const files = readdirSync(installed(name), { recursive: true, encoding: 'utf8' });
      expect(files).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'package.json']));
      expect(files.filter((file) => /\.spec\.|(?<!\.d)\.ts$|\.map$/.test(file) || file.includes('/src/'))).toEqual([]);
    }
    const { dependencies, peerDependencies } = manifestOf('messaging');
    expect(Object.keys(dependencies ?? {}).filter((name) => /^(@tidegate|@nestjs|stripe|fastify)/.test(name))).toEqual([
      '@tidegate/contracts',
    ]);
    expect(peerDependencies).toEqual({ kysely: KYSELY });
    expect(Object.keys(manifestOf('contracts').dependencies ?? {})).toEqual(['zod']);
  });

  it('is what its README shows, word for word', () => {
    const readme = read(join(installed('messaging'), 'README.md'));
    for (const file of ['src/ship-paid-orders.ts', 'src/shop.ts', 'src/migrate.ts', 'migrations/0001_shipments.sql'])
      expect([file, readme.includes(read(join(EXAMPLE, file)).trim())]).toEqual([file, true]);
    expect(readme).toContain(`npm install @tidegate/messaging @tidegate/contracts kysely@${KYSELY}`);
    for (const entry of entries()) expect([entry, readme.includes(`\`${entry}\``)]).toEqual([entry, true]);
  });

  it('compiles strict, its declarations too, and every entry can be imported', async () => {
    const all = ['@tidegate/contracts/catalogue', ...entries()];
    writeFileSync(join(shopFolder, 'src/all.ts'), all.map((entry, n) => `export * as entry${n} from '${entry}';\n`).join(''));
    // Without exactOptionalPropertyTypes, which the declarations of nats-core do not hold when they are checked, too.
    const strict = { strict: true, noUncheckedIndexedAccess: true, noImplicitOverride: true, skipLibCheck: false };
    const output = { target: 'es2024', lib: ['es2024'], module: 'nodenext', types: ['node'], rootDir: 'src', outDir: 'dist' };
    writeFileSync(join(shopFolder, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...strict, ...output }, include: ['src'] }));
    await run(process.execPath, [join(ROOT, 'node_modules/typescript/lib/tsc.js'), '-p', shopFolder], shopFolder);
    await run(process.execPath, ['dist/all.js'], shopFolder);
  }, 60_000);

  it('lets each event take effect once, when the consumer is killed with SIGKILL in the middle of its handler', async () => {
    const env = { PATH: process.env['PATH'], SHOP_ADMIN_DATABASE_URL: own.url, SHOP_PASSWORD: 'shop-in-tests' };
    expect(await run(process.execPath, ['dist/migrate.js'], shopFolder, env)).toMatch(/^\d+ migrations applied\n$/);
    const ids = Array.from({ length: 6 }, (_, n) => `pay_outside${n}`);
    for (const id of ids.slice(0, 3)) await payments.publish(id, 'succeeded', 1);
    const first = startShop();
    await eventually(async () => expect(await shipped()).toEqual(ids.slice(0, 3)), { timeoutMs: 20_000 });

    // The handler's INSERT waits for this lock: the shop is in the middle of its transaction.
    await admin.query('BEGIN; LOCK TABLE shop.shipments IN EXCLUSIVE MODE');
    for (const id of ids.slice(3)) await payments.publish(id, 'succeeded', 1);
    await eventually(async () => {
      const { rows } = await admin.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND usename = 'shop' AND wait_event_type = 'Lock'`,
      );
      expect(rows.length).toBeGreaterThan(0);
    });
    first.kill('SIGKILL');
    await once(first, 'exit');
    await admin.query('COMMIT');
    await payments.publish(ids[0]!, 'refund_updated', 2);

    const second = startShop();
    await eventually(async () => expect(await shipped()).toEqual(ids), { timeoutMs: 20_000 });
    await eventually(async () => {
      const { rows } = await admin.query<{ done: number }>(`SELECT count(*)::int AS done FROM shop.inbox WHERE state = 'done'`);
      expect(rows[0]?.done).toBe(7);
    });
    expect(await shipped()).toEqual(ids);
    second.kill('SIGTERM');
    expect(await once(second, 'exit')).toEqual([0, null]);
  }, 60_000);
});
