import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../cache-folder.js';
import { type PostgresBinaries } from './binaries.js';
import { createDataFolder } from './data-folder.js';
import { folderElsewhere, ownedFolder } from './owned-folder.js';
import { type OsUser, canReach } from './unprivileged-user.js';

/** A data folder fresh from initdb, made once per version and machine: to copy it takes a tenth of the time to make it. */
export async function templateDataFolder(binaries: PostgresBinaries, user: OsUser | undefined): Promise<string> {
  const cache = cacheFolder();
  const parent = user === undefined || canReach(user, cache) ? cache : folderElsewhere(join(cache, 'postgres-templates'), user);
  const template = join(parent, `postgres-${binaries.major}-template${user === undefined ? '' : `-${user.name}`}`);
  if (existsSync(join(template, 'data'))) return template;
  const unfinished = `${template}.${process.pid}`;
  mkdirSync(parent, { recursive: true });
  await createDataFolder({ folder: ownedFolder(unfinished, user), binaries, user, fsync: false });
  try {
    renameSync(unfinished, template);
  } catch {
    // Another process was faster; its template is as good.
    rmSync(unfinished, { recursive: true, force: true });
  }
  return template;
}
