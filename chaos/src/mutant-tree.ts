import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A copy of a checkout's sources as they stand now, to be broken without harm to it. */
export interface Tree {
  root: string;
  remove(): void;
}

/** Copies what git tracks or would; installed packages are linked, except our own, which must be the copy's. */
export function copyTree(checkout: string): Tree {
  const root = mkdtempSync(join(tmpdir(), 'tidegate-mutants-'));
  // The database of the tests runs as another user, who must be able to reach its programs.
  chmodSync(root, 0o755);
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: checkout, encoding: 'utf8' });
  for (const file of listed.split('\0').filter((one) => one !== '')) {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    cpSync(join(checkout, file), join(root, file), { recursive: true, verbatimSymlinks: true });
  }
  linkPackages(join(checkout, 'node_modules'), join(root, 'node_modules'));
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}

/** Installed packages as links, our own as those of the copy. */
export function linkPackages(from: string, to: string): void {
  mkdirSync(join(to, '@tidegate'), { recursive: true });
  for (const name of readdirSync(from)) if (name !== '@tidegate') symlinkSync(join(from, name), join(to, name));
  // These are relative links into libs/, services/ and tools/, so the same text means the copy here.
  for (const name of readdirSync(join(from, '@tidegate')))
    symlinkSync(readlinkSync(join(from, '@tidegate', name)), join(to, '@tidegate', name));
}
