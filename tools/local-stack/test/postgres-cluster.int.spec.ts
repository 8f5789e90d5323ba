import { chmodSync, cpSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { postgresBinaries } from '../src/postgres/binaries.js';
import { folderElsewhere, removeOwnedFolder } from '../src/postgres/owned-folder.js';
import { query } from '../src/postgres/ping.js';
import { type ClusterOptions, PostgresCluster } from '../src/postgres/postgres-cluster.js';
import { templateDataFolder } from '../src/postgres/template.js';
import { unprivilegedUser } from '../src/postgres/unprivileged-user.js';
import { freePort } from '../src/process/free-port.js';

const user = unprivilegedUser();
let template: string;
let folder: string;
const running: PostgresCluster[] = [];

beforeAll(async () => {
  template = await templateDataFolder(await postgresBinaries(user), user);
}, 60_000);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-postgres-'));
  chmodSync(folder, 0o711);
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
  removeOwnedFolder(join(folder, 'postgres'));
  rmSync(folder, { recursive: true, force: true });
});

async function prepare(changes: Partial<ClusterOptions> = {}): Promise<PostgresCluster> {
  const options = {
    folder: join(folder, 'postgres'),
    port: await freePort(),
    log: join(folder, 'logs', 'postgres.log'),
    fsync: false,
    template,
    ...changes,
  };
  const cluster = await PostgresCluster.prepare(options);
  running.push(cluster);
  return cluster;
}

const write = (cluster: PostgresCluster) => query(cluster.url(), 'create table kept as select 42 as answer');
const read = async (cluster: PostgresCluster) => (await query(cluster.url(), 'select answer from kept'))[0];

describe('When a cluster runs', () => {
  it('keeps its password to its owner and lets nobody in without it', async () => {
    const cluster = await prepare();
    await cluster.start();
    expect(statSync(join(cluster.folder, 'admin-password')).mode & 0o077).toBe(0);
    expect(statSync(cluster.folder).mode & 0o077).toBe(0);
    const url = new URL(cluster.url());
    url.password = 'guessed';
    await expect(query(url.href, 'select 1')).rejects.toThrow('password authentication failed');
  });

  it('is made by initdb where there is no template', async () => {
    const { folder: real, port, log } = { folder: join(folder, 'postgres'), port: await freePort(), log: join(folder, 'log') };
    const cluster = await PostgresCluster.prepare({ folder: real, port, log, fsync: false });
    running.push(cluster);
    await cluster.start();
    expect(await query(cluster.url(), 'show data_checksums')).toEqual([{ data_checksums: expect.any(String) }]);
    expect(await query(cluster.url(), 'show server_encoding')).toEqual([{ server_encoding: 'UTF8' }]);
  });

  it('keeps what was committed over a kill', async () => {
    const cluster = await prepare();
    await cluster.start();
    await write(cluster);
    await cluster.kill();
    expect(cluster.pid).toBeUndefined();
    await cluster.start();
    expect(await read(cluster)).toEqual({ answer: 42 });
  });

  it('leaves no process and no pid file after a stop', async () => {
    const cluster = await prepare();
    await cluster.start();
    const { pid } = cluster;
    await cluster.stop();
    expect(() => process.kill(pid ?? 0, 0)).toThrow('ESRCH');
    expect(statSync(join(cluster.folder, 'data', 'postmaster.pid'), { throwIfNoEntry: false })).toBeUndefined();
  });
});

describe('When an earlier run ended badly', () => {
  it('ends the server that it left on the same data', async () => {
    const first = await prepare();
    await first.start();
    await write(first);
    const left = first.release();

    const second = await prepare();
    await second.start();
    expect(() => process.kill(left, 0)).toThrow('ESRCH');
    expect(await read(second)).toEqual({ answer: 42 });
  });

  it('is not misled by a pid file whose pid now belongs to another program', async () => {
    const cluster = await prepare();
    writeFileSync(join(cluster.folder, 'data', 'postmaster.pid'), `${process.pid}\n${join(cluster.folder, 'data')}\n`);
    await cluster.start();
    expect(cluster.pid).toBeDefined();
  });

  it('throws away a data folder that was only half made', async () => {
    mkdirSync(join(folder, 'postgres', 'data.part'), { recursive: true });
    writeFileSync(join(folder, 'postgres', 'data.part', 'PG_VERSION'), '18');
    const cluster = await prepare();
    await cluster.start();
    expect(readFileSync(join(cluster.folder, 'data', 'PG_VERSION'), 'utf8').trim()).not.toBe('');
  });

  it('says what to do about data of another version', async () => {
    const cluster = await prepare();
    writeFileSync(join(cluster.folder, 'data', 'PG_VERSION'), '9\n');
    await expect(prepare()).rejects.toThrow(/is of PostgreSQL 9 and this is \d+: "npm run reset" starts afresh/);
  });
});

describe("When the server's user cannot open the checkout", () => {
  let closed: string;
  beforeAll(() => {
    closed = mkdtempSync(join(tmpdir(), 'tidegate-closed-'));
    chmodSync(closed, 0o700);
  });
  afterAll(() => rmSync(closed, { recursive: true, force: true }));

  it('runs from copies elsewhere, and forgets them when they are removed', async () => {
    const installed = dirname((await postgresBinaries(user)).bin);
    cpSync(installed, join(closed, 'native'), { recursive: true, verbatimSymlinks: true });
    const binaries = await postgresBinaries(user, join(closed, 'native', 'bin'));
    const inside = join(closed, 'postgres');
    const cluster = await prepare({ folder: inside, binaries });
    await cluster.start();
    await write(cluster);
    expect(await read(cluster)).toEqual({ answer: 42 });

    // Whoever is not root runs the server under his own name, who can open his own folders.
    const isRoot = user !== undefined;
    const real = realpathSync(inside);
    expect(lstatSync(inside).isSymbolicLink()).toBe(isRoot);
    expect(binaries.bin.startsWith(closed)).toBe(!isRoot);
    await cluster.stop();
    removeOwnedFolder(inside);
    expect([inside, real].map((path) => lstatSync(path, { throwIfNoEntry: false }))).toEqual([undefined, undefined]);
    if (user !== undefined) rmSync(folderElsewhere(join(closed, 'native', 'bin'), user), { recursive: true });
  }, 30_000);
});
