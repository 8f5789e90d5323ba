import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { schemasOf } from '@tidegate/database/schema-file';
import { freePort } from '@tidegate/local-stack/process/free-port';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { type DumpedTable, fileOf, readRows } from '../src/backup/dump-format.js';
import { tidegate } from './console.js';

let folder: string;
let database: TestDatabase;
let nobody: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-stores-'));
  database = await postgresForTests({ migrate: 'none' });
  nobody = `postgres://owner:secret@127.0.0.1:${await freePort()}/tidegate`;
});
afterAll(async () => {
  await database.drop();
  rmSync(folder, { recursive: true });
});

const failed = async (line: string[], DATABASE_URL: string) => {
  const { exitCode, err, out } = await tidegate([...line, '--json'], { env: { DATABASE_URL }, cwd: folder });
  expect([exitCode, err]).toEqual([1, expect.stringMatching(/^Failed: [^\n]+\.\n$/)]);
  return (JSON.parse(out) as { error: { code: string; message: string } }).error;
};

describe('A command that works on the stores themselves says in a sentence', () => {
  it('that the database does not answer, or that its address is none', async () => {
    const away = { code: 'system.econnrefused', message: expect.stringMatching(/^connect ECONNREFUSED 127\.0\.0\.1:\d+\.$/) };
    expect(await failed(['backup', 'create', '--to', 'away'], nobody)).toEqual(away);
    expect(await failed(['backup', 'create', '--to', 'odd'], 'tidegate')).toMatchObject({ code: 'settings.invalid' });
  });

  it('that whoever listens at its address never answers', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const url = `postgres://owner:secret@127.0.0.1:${(silent.address() as AddressInfo).port}/tidegate`;
    expect(await failed(['backup', 'create', '--to', 'silent'], url)).toEqual({
      code: 'database.away',
      message: 'The database does not answer.',
    });
    const roles = Object.fromEntries(
      schemasOf().map(({ role }) => [`${role.toUpperCase()}_DATABASE_URL`, `postgres://${role}:x@host/tidegate`]),
    );
    const { exitCode, err } = await tidegate('database migrate --yes --reason spec', { env: { DATABASE_URL: url, ...roles } });
    expect([exitCode, err]).toEqual([1, 'Failed: The database does not answer.\n']);
    for (const socket of sockets) socket.destroy();
    silent.close();
  }, 30_000);

  it('what the database refuses', async () => {
    const { code, message } = await failed(['backup', 'create', '--to', 'empty'], database.url);
    expect([code, message]).toEqual(['database.refused', 'The database refuses: relation "gateway.migrations" does not exist.']);
  });

  it('that a folder cannot be written', async () => {
    writeFileSync(join(folder, 'file'), '');
    expect(await failed(['backup', 'create', '--to', 'file'], nobody)).toMatchObject({ code: 'system.eexist' });
  });

  it('that a folder is there but takes none', async () => {
    const { code, message } = await failed(['backup', 'create', '--to', '/proc/nope/deep'], nobody);
    if (process.platform !== 'linux') return expect(code).toMatch(/^system\.e/);
    expect([code, message]).toEqual(['backup.no_folder', '/proc/nope cannot be made: /proc takes no folders.']);
  });

  it('that it lacks folders above it only where none can be made', async () => {
    expect(await failed(['backup', 'create', '--to', 'one/two/three'], nobody)).toMatchObject({ code: 'system.econnrefused' });
    expect(statSync(join(folder, 'one/two/three')).mode & 0o777).toBe(0o700);
  });

  it('that a folder holds no backup, or a damaged one', async () => {
    const load = (from: string) => failed(['restore', 'load', '--from', from, '--yes', '--reason', 'spec'], nobody);
    expect(await load('gone')).toMatchObject({ code: 'system.enoent', message: expect.stringContaining('gone/backup.json') });
    writeFileSync(join(folder, 'backup.json'), 'not JSON');
    expect(await load('.')).toMatchObject({ code: 'backup.damaged' });
    writeFileSync(join(folder, 'backup.json'), '{"format": 2}');
    expect(await load('.')).toMatchObject({ code: 'backup.damaged' });
  });

  it('that a receipt number does not read as one', async () => {
    const { exitCode, err } = await tidegate('restore receipts --receipts-up-to 1204 --reason spec');
    const how = 'Write it as tenant/series/year=number, the series being R for receipts or CN for credit notes.';
    expect([exitCode, err]).toEqual([1, expect.stringContaining(`argument '1204' is invalid. ${how}`)]);
  });
});

describe('The rows of a backup', () => {
  const table: DumpedTable = { schema: 'payments', name: 'payments', columns: ['id'], rows: 2, sha256: '' };
  const read = async () => {
    for await (const page of readRows(folder, table, 100)) expect(page).toEqual(['(1)']);
  };

  it('are damaged when their file is away, is no archive, is cut short or holds others', async () => {
    await expect(read()).rejects.toMatchObject({ code: 'backup.damaged', message: expect.stringContaining('ENOENT') });
    const archive = gzipSync('"(1)"\n');
    for (const bytes of [Buffer.from('not an archive'), archive.subarray(0, -9), archive]) {
      writeFileSync(fileOf(folder, table), bytes);
      await expect(read()).rejects.toMatchObject({ code: 'backup.damaged' });
    }
  });
});
