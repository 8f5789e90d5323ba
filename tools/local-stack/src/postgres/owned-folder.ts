import { createHash } from 'node:crypto';
import { chmodSync, chownSync, lstatSync, mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StackError } from '../stack-error.js';
import { type OsUser, canReach } from './unprivileged-user.js';

/**
 * Makes `path` a folder that only `user` (and root) can read, and returns where it really is. When `user` cannot get at that place, as under root's
 * own home, the folder is made under /var/tmp and `path` becomes a link to it.
 */
export function ownedFolder(path: string, user: OsUser | undefined): string {
  mkdirSync(dirname(path), { recursive: true });
  if (user === undefined) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return realpathSync(path);
  }
  if (isDanglingLink(path)) rmSync(path);
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) {
    mkdirSync(path, { mode: 0o700 });
    giveTo(user, path);
    if (canReach(user, path)) return path;
    rmSync(path, { recursive: true });
    symlinkSync(folderElsewhere(path, user), path);
  }
  const real = realpathSync(path);
  giveTo(user, real);
  if (!canReach(user, real))
    throw new StackError(`User ${user.name}, under which PostgreSQL runs, cannot open ${real}: run "npm run reset" and try again.`);
  return real;
}

/** Removes what `ownedFolder` made: the folder, or the link and the folder behind it. */
export function removeOwnedFolder(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (stat.isSymbolicLink() && !isDanglingLink(path)) rmSync(realpathSync(path), { recursive: true, force: true });
  rmSync(path, { recursive: true, force: true });
}

/** A folder of `user` in /var/tmp for whatever `path` stands for. Throws StackError when somebody else made one of that name before us. */
export function folderElsewhere(path: string, user: OsUser): string {
  const folder = join('/var/tmp', `tidegate-${createHash('sha256').update(path).digest('hex').slice(0, 16)}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stat = lstatSync(folder);
  if (!stat.isDirectory() || (stat.uid !== user.uid && stat.uid !== process.getuid?.())) {
    throw new StackError(`${folder} belongs to somebody else: remove it and try again.`);
  }
  giveTo(user, folder);
  return folder;
}

function giveTo(user: OsUser, folder: string): void {
  chownSync(folder, user.uid, user.gid);
  chmodSync(folder, 0o700);
}

function isDanglingLink(path: string): boolean {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return false;
  try {
    realpathSync(path);
    return false;
  } catch {
    return true;
  }
}
