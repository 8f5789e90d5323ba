import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { schemasOf } from '@tidegate/database/schema-file';
import { eventually } from '@tidegate/test-harness/eventually';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import pg from 'pg';
import type { Manifest } from '../src/backup/dump-format.js';
import { tidegate } from './console.js';

let folder: string;
let database: TestDatabase;
let admin: pg.Client;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-lost-'));
  database = await postgresForTests();
  admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
}, 60_000);
afterAll(async () => {
  await admin.end();
  await database.drop();
  rmSync(folder, { recursive: true });
});

const run = (...line: string[]) => {
  const urls = schemasOf().map(({ role }) => [`${role.toUpperCase()}_DATABASE_URL`, database.urlFor(role)]);
  return tidegate(line, { env: { DATABASE_URL: database.url, ...Object.fromEntries(urls) }, cwd: folder });
};

/** Ends the connection of this name once it waits like this, in or after that statement. */
const ended = (name: string, state: string, after: string) =>
  eventually(async () => {
    const { rows } = await admin.query<{ ended: boolean }>(
      `SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = $1 AND (wait_event_type, state) = ($2, $3) AND query LIKE $4`,
      [name, state === 'active' ? 'Lock' : 'Client', state, `${after}%`],
    );
    expect(rows).toEqual([{ ended: true }]);
  });

describe('A connection to the database that is lost', () => {
  it('in the middle of a backup ends it in a sentence', async () => {
    // What a transaction sees of the connections stays as it was.
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    await other.query('BEGIN; LOCK TABLE payments.payments');
    const [{ exitCode, err }] = await Promise.all([
      run('backup', 'create', '--to', 'backup'),
      ended('tidegate backup', 'active', 'DECLARE page'),
    ]);
    await other.end();
    const why = 'terminating connection due to administrator command';
    const told = `The connection to the database was lost (${why}). What is in ${join(folder, 'backup')} is no backup: delete it, and begin again.`;
    expect([exitCode, err]).toEqual([1, `Failed: ${told}\n`]);
  }, 60_000);

  it('or a disk that fails, leaves what is no backup, and nobody takes it for one', async () => {
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    await other.query('BEGIN; LOCK TABLE payments.payments');
    const failing = run('backup', 'create', '--to', 'half');
    await eventually(async () => {
      const { rows } = await admin.query("SELECT FROM pg_stat_activity WHERE query LIKE 'DECLARE page%' AND wait_event_type = 'Lock'");
      expect(rows).toHaveLength(1);
    });
    // The file of a table that comes later cannot be written.
    const half = join(folder, 'half');
    mkdirSync(join(half, 'webhooks.stripe_events.jsonl.gz'));
    await other.query('ROLLBACK');
    await other.end();
    const { exitCode, err } = await failing;
    expect([exitCode, err]).toEqual([
      1,
      expect.stringMatching(/^Failed: EISDIR: [^\n]+ What is in \S+\/half is no backup: delete it, and begin again\.\n$/),
    ]);
    const again = await run('backup', 'create', '--to', 'half');
    expect([again.exitCode, again.err]).toEqual([
      1,
      `Failed: ${half} holds a backup that was not finished: delete it, or name another folder.\n`,
    ]);
    const loaded = await run('restore', 'load', '--from', 'half', '--yes', '--reason', 'spec');
    expect([loaded.exitCode, loaded.err]).toEqual([
      1,
      `Failed: ${half} holds a backup that was not finished: nothing can be restored from it.\n`,
    ]);
  }, 60_000);

  it('while a restore reads a file ends it in a sentence, and nothing was loaded', async () => {
    const table = { schema: 'gateway', name: 'operator_actions', columns: ['id'], rows: 1, sha256: '' };
    const manifest: Manifest = {
      ...{ format: 1, taken_at: new Date().toISOString(), postgres: '18', migrations: {}, tables: [table], partitions: [], sequences: [] },
    };
    writeFileSync(join(folder, 'backup.json'), JSON.stringify(manifest));
    const rows = join(folder, 'gateway.operator_actions.jsonl.gz');
    execFileSync('mkfifo', [rows]);
    const restored = run('restore', 'load', '--from', '.', '--yes', '--reason', 'spec');
    await Promise.race([ended('tidegate restore', 'idle in transaction', 'TRUNCATE'), restored]);
    await writeFile(rows, gzipSync('"(1)"\n'), { flag: 'r+' });
    const { exitCode, err } = await restored;
    const why = 'terminating connection due to administrator command';
    expect([exitCode, err]).toEqual([1, `Failed: The connection to the database was lost (${why}). Nothing was loaded: begin again.\n`]);
  }, 60_000);
});
