import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { schemasOf } from '@tidegate/database/schema-file';
import { query } from '@tidegate/local-stack/postgres/ping';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { tidegate } from './console.js';

let folder: string;
let database: TestDatabase;
let empty: TestDatabase;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-backup-'));
  database = await postgresForTests();
  empty = await postgresForTests({ migrate: 'none' });
}, 60_000);
afterAll(async () => {
  await database?.drop();
  await empty?.drop();
  rmSync(folder, { recursive: true });
});

/** As a service is told to log in to the new database, by the password that the other specs' roles have: roles are of the whole server. */
const loginOf = (role: string): string => {
  const url = new URL(empty.url);
  [url.username, url.password] = [role, `${role}-in-tests`];
  return url.href;
};

/** What ends a line somewhere, what quotes, and what is written with a backslash; PostgreSQL keeps all of it. */
const ODD = ['\u2028', '\u2029', '\u0085', '\v', '\f', '\r', '\r\n', '\n', '\t', '"', '\\', '(,)', '{}', ''];
const names = (url: string) =>
  query<{ id: string; name: string; tax_ids: string[] }>(url, 'select id, name, tax_ids from gateway.tenants order by id');

describe('A backup', () => {
  it('holds text with whatever ends a line somewhere, and is loaded as it was', async () => {
    for (const [i, odd] of ODD.entries())
      await query(database.url, 'insert into gateway.tenants (id, name, tax_ids) values ($1, $2, $3)', [
        `tenant-${String(i).padStart(2, '0')}`,
        `Rue de la Paix${odd}12`,
        JSON.stringify([odd]),
      ]);
    const made = await tidegate('backup create --to backup', { env: { DATABASE_URL: database.url }, cwd: folder });
    expect([made.exitCode, made.err]).toEqual([0, '']);
    const loaded = await tidegate('restore load --from backup --receipts-up-to tenant-00/R/2026=0 --yes --json --reason "disk lost"', {
      env: {
        DATABASE_URL: empty.url,
        ...Object.fromEntries(schemasOf().map(({ role }) => [`${role.toUpperCase()}_DATABASE_URL`, loginOf(role)])),
      },
      cwd: folder,
    });
    expect([loaded.exitCode, JSON.parse(loaded.out)]).toMatchObject([0, { done: true }]);
    expect(await names(empty.url)).toEqual(await names(database.url));
  }, 60_000);

  it('is made of more large documents than fit into one text', async () => {
    await query(
      database.url,
      `insert into receipts.documents (receipt_id, sha256, pdf, stored_at)
       select 'rcp_' || n, 'x', decode(repeat('ab', 140000), 'hex'), now() from generate_series(1, 2000) as n`,
    );
    const made = await tidegate('backup create --to large', { env: { DATABASE_URL: database.url }, cwd: folder });
    expect([made.exitCode, made.err]).toEqual([0, '']);
  }, 120_000);
});
