import { randomBytes } from 'node:crypto';
import { chownSync, cpSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../process/run.js';
import { type PostgresBinaries } from './binaries.js';
import { type OsUser } from './unprivileged-user.js';

export interface DataFolderSpec {
  /** Receives `data/` and `admin-password`. */
  folder: string;
  binaries: PostgresBinaries;
  user: OsUser | undefined;
  fsync: boolean;
  /** A folder like the one asked for, of a server that is not running, to copy instead of running initdb. */
  template?: string | undefined;
}

/** Creates `data/` and `admin-password` in a folder unless both are there. What an interrupted run left half made is thrown away. */
export async function createDataFolder(spec: DataFolderSpec): Promise<void> {
  const data = join(spec.folder, 'data');
  const password = join(spec.folder, 'admin-password');
  if (existsSync(data)) return;
  const unfinished = join(spec.folder, 'data.part');
  rmSync(unfinished, { recursive: true, force: true });
  if (spec.template === undefined) {
    writeFileSync(password, randomBytes(24).toString('base64url'), { mode: 0o600 });
    giveTo(spec.user, password);
    await initdb(spec, unfinished, password);
  } else {
    await copyAs(spec.user, join(spec.template, 'data'), unfinished);
    await copyAs(spec.user, join(spec.template, 'admin-password'), password);
  }
  renameSync(unfinished, data);
}

async function initdb(spec: DataFolderSpec, data: string, passwordFile: string): Promise<void> {
  // Locale C: the same order of text on every machine and version, whatever locales are installed.
  const args = ['-D', data, '-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--encoding=UTF8', '--locale=C'];
  await run(join(spec.binaries.bin, 'initdb'), [...args, ...(spec.fsync ? [] : ['--no-sync'])], {
    cwd: '/',
    env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
    user: spec.user,
  });
}

/** PostgreSQL insists on owning its files, so the copy is made by its user when that is not us. */
async function copyAs(user: OsUser | undefined, from: string, to: string): Promise<void> {
  if (user === undefined) cpSync(from, to, { recursive: true, mode: 0 });
  else await run('cp', ['-R', '-p', from, to], { cwd: '/', user });
}

function giveTo(user: OsUser | undefined, file: string): void {
  if (user !== undefined) chownSync(file, user.uid, user.gid);
}
