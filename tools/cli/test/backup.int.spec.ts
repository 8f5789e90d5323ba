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
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-backup-'));
  database = await postgresForTests();
}, 60_000);
afterAll(async () => {
  await database?.drop();
  rmSync(folder, { recursive: true });
});

async function backedUp(name: string): Promise<void> {
  const made = await tidegate(`backup create --to ${name}`, { env: { DATABASE_URL: database.url }, cwd: folder });
  expect([made.exitCode, made.err]).toEqual([0, '']);
}

/** Loads it into a new database, by the passwords that the other specs' roles have: roles are of the whole server. */
async function loaded(name: string, look: (url: string) => Promise<void>): Promise<void> {
  const empty = await postgresForTests({ migrate: 'none' });
  try {
    const logins = schemasOf().map(({ role }) => {
      const url = new URL(empty.url);
      [url.username, url.password] = [role, `${role}-in-tests`];
      return [`${role.toUpperCase()}_DATABASE_URL`, url.href];
    });
    const ran = await tidegate(`restore load --from ${name} --receipts-up-to acme/R/2026=0 --yes --json --reason "lost again"`, {
      env: { DATABASE_URL: empty.url, ...Object.fromEntries(logins) },
      cwd: folder,
    });
    expect([ran.exitCode, JSON.parse(ran.out)]).toMatchObject([0, { done: true }]);
    await look(empty.url);
  } finally {
    await empty.drop();
  }
}

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
    await backedUp('lines');
    await loaded('lines', async (url) => expect(await names(url)).toEqual(await names(database.url)));
  }, 60_000);

  it('that was made while requests are held after a restore leaves all that the record lacks to be found', async () => {
    await query(
      database.url,
      "insert into gateway.holds (restore_point, reason, actor, held_at) values ('2026-11-20T06:00:00Z', 'disk lost', 'spec', '2026-11-20T11:00:00Z')",
    );
    await backedUp('held');
    await loaded('held', async (url) => {
      const [hold] = await query<{ restore_point: Date; reason: string }>(url, 'select restore_point, reason from gateway.holds');
      expect([hold?.restore_point.toISOString(), hold?.reason]).toEqual(['2026-11-20T06:00:00.000Z', 'lost again']);
    });
  }, 60_000);

  it('is made of more large documents than fit into one text', async () => {
    await query(
      database.url,
      `insert into receipts.documents (receipt_id, sha256, pdf, stored_at)
       select 'rcp_' || n, 'x', decode(repeat('ab', 140000), 'hex'), now() from generate_series(1, 2000) as n`,
    );
    await backedUp('large');
  }, 120_000);
});

describe('Receipt numbers that are known to have been given', () => {
  const recovered = (options: string) =>
    tidegate(`restore receipts ${options} --yes --json --reason "disk lost"`, {
      env: { DATABASE_URL: database.url, RECEIPTS_DATABASE_URL: database.urlFor('receipts') },
    });
  const counters = () => query(database.url, "select series, last from receipts.counters where tenant = 'acme' order by series");

  it('are of receipts or credit notes: of another series they would keep none from being given again', async () => {
    const { exitCode, err } = await recovered('--receipts-up-to acme/r/2026=3');
    expect([exitCode, err]).toEqual([1, expect.stringContaining('R for receipts or CN for credit notes')]);
    expect(await counters()).toEqual([]);
  });

  it('reach to the highest of those that are named', async () => {
    const { exitCode, out } = await recovered(
      '--receipts-up-to acme/R/2026=3 --receipts-up-to acme/CN/2026=1 --receipts-up-to acme/R/2026=2',
    );
    expect([exitCode, JSON.parse(out)]).toMatchObject([2, { done: true }]);
    expect(await counters()).toEqual([
      { series: 'CN', last: 1 },
      { series: 'R', last: 3 },
    ]);
  });
});
