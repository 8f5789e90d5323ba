import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { clearFolder } from '../src/stack/clear-folder.js';

describe('When the folder of a stack is cleared', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tidegate-clear-'));
  const elsewhere = mkdtempSync(join(tmpdir(), 'tidegate-elsewhere-'));
  afterAll(() => [dir, elsewhere].forEach((one) => rmSync(one, { recursive: true, force: true })));

  it('keeps downloads and a database that tests use, and follows the link to data elsewhere', () => {
    for (const folder of ['logs', 'cache', 'nats/jetstream', 'test-postgres-17/server/data', 'test-postgres-18/server/data'])
      mkdirSync(join(dir, folder), { recursive: true });
    for (const file of ['secrets.json', 'logs/payments-1.log', 'test-postgres-18/server/data/postmaster.pid'])
      writeFileSync(join(dir, file), '');
    symlinkSync(elsewhere, join(dir, 'postgres'));

    clearFolder(dir);

    expect(readdirSync(dir).sort()).toEqual(['cache', 'test-postgres-18']);
    expect(existsSync(elsewhere)).toBe(false);
  });
});
