import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../cache-folder.js';
import { downloadDebianPackage } from '../debian-package.js';
import { StackError } from '../stack-error.js';
import { type PostgresBinaries, binariesIn } from './binaries.js';

const installed = '/usr/lib/postgresql/15/bin';

/** Debian 12's PostgreSQL 15, the oldest version supported: the installed one, else unpacked from its package without root. */
export async function debianPostgres(): Promise<PostgresBinaries> {
  if (existsSync(join(installed, 'initdb'))) return binariesIn(installed);
  const home = join(cacheFolder(), 'debian-postgresql-15');
  const bin = join(home, 'usr/lib/postgresql/15/bin');
  if (!existsSync(join(bin, 'initdb'))) await unpackInto(home);
  return binariesIn(bin);
}

async function unpackInto(home: string): Promise<void> {
  const unfinished = `${home}.part`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  const { because } = await downloadDebianPackage('postgresql-15', unfinished);
  if (because !== undefined) throw new StackError(`PostgreSQL 15 is not installed and Debian's package could not be had: ${because}.`);
  renameSync(unfinished, home);
}
