import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { linkPackages } from './mutant-tree.js';

/** An earlier commit of this checkout, built in a folder of its own. */
export interface Version {
  commit: string;
  root: string;
  remove(): void;
}

/** Takes a commit out of git and builds its services with the packages that are installed here; some 20 s. Throws when this is no clone with history. */
export function builtVersion(checkout: string, ref = beforeNewestMigration(checkout)): Version {
  const commit = git(checkout, 'rev-parse', '--short', ref);
  const root = mkdtempSync(join(tmpdir(), 'tidegate-before-'));
  const archive = execFileSync('git', ['archive', '--format=tar', ref], { cwd: checkout, maxBuffer: 2 ** 29 });
  execFileSync('tar', ['-x', '-C', root], { input: archive });
  mkdirSync(join(root, '.tidegate'));
  linkPackages(join(checkout, 'node_modules'), join(root, 'node_modules'));
  for (const project of globSync('{libs,services,tools}/*/src', { cwd: root })) build(root, dirname(project));
  for (const service of globSync('services/*/src/main.ts', { cwd: root })) bundle(root, dirname(dirname(service)));
  return { commit, root, remove: () => rmSync(root, { recursive: true, force: true }) };
}

/** As the targets `build` and `bundle` of its project do, without Nx, which would look for its workspace behind the links. */
function build(root: string, project: string): void {
  const swc = join(root, 'node_modules', '@swc', 'cli', 'bin', 'swc.js');
  run([swc, 'src', '-d', 'dist', '--strip-leading-paths', '--config-file', join(root, '.swcrc'), '--quiet'], join(root, project));
}

const bundle = (root: string, service: string): void =>
  run([join(root, 'tools', 'local-stack', 'bin', 'bundle-service.mjs')], join(root, service));

const run = (args: string[], cwd: string): void => void execFileSync(process.execPath, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });

/** The commit before the newest change of a migration, so that the two versions differ in their tables. */
function beforeNewestMigration(checkout: string): string {
  const newest = git(
    checkout,
    'log',
    '-1',
    '--format=%H',
    '--',
    'services/*/migrations/*.sql',
    'services/*/*-migrations/*.sql',
    'libs/*/migrations/*.sql',
  );
  if (newest === '') throw new Error('No commit here changed a migration: name the version before, as `npm run chaos -- rolling REF`');
  return `${newest}^`;
}

const git = (cwd: string, ...args: string[]): string => execFileSync('git', args, { cwd, encoding: 'utf8' }).trim();
