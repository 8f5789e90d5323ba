import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { StackError } from '../stack-error.js';

/** An account of the operating system that a child process can run under. */
export interface OsUser {
  name: string;
  uid: number;
  gid: number;
}

/**
 * The account PostgreSQL has to run under: undefined (our own) for everyone but root, since the server refuses root. For root it is `postgres`
 * where that account exists and else `nobody`. Throws StackError when there is neither.
 */
export function unprivilegedUser(): OsUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = parsePasswd(readFileSync('/etc/passwd', 'utf8'));
  const user = accounts.get('postgres') ?? accounts.get('nobody');
  if (user === undefined)
    throw new StackError(
      'PostgreSQL refuses to run as root and this machine has no account "postgres" or "nobody": run the command as another user.',
    );
  return user;
}

/** The accounts of an /etc/passwd by name; ids that are written as negative numbers (macOS) are taken as unsigned. */
export function parsePasswd(text: string): Map<string, OsUser> {
  const accounts = new Map<string, OsUser>();
  for (const line of text.split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name === undefined || uid === undefined || gid === undefined || name.startsWith('#')) continue;
    accounts.set(name, { name, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 });
  }
  return accounts;
}

/** Whether that user gets at a folder or file: asked of the system itself, so that access lists and mount options count as well. */
export function canReach(user: OsUser | undefined, path: string): boolean {
  if (user === undefined) return true;
  return (
    spawnSync('/bin/sh', ['-c', 'test -r "$1" && { test ! -d "$1" || test -x "$1"; }', 'sh', path], {
      cwd: '/',
      uid: user.uid,
      gid: user.gid,
    }).status === 0
  );
}
