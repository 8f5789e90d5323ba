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

/**
 * The newest commit whose migrations are all here, unchanged, and some more: the two versions differ in their tables, and one can follow the other. What was changed before anybody
 * had it is passed over.
 */
function beforeNewestMigration(checkout: string): string {
  const here = migrationsAt(checkout, 'HEAD');
  const changes = git(checkout, 'log', '-100', '--format=%H', '--', ...MIGRATIONS).split('\n');
  const version = changes
    .filter((commit) => commit !== '')
    .map((commit) => `${commit}^`)
    .find((before) => [...migrationsAt(checkout, before)].every(([path, blob]) => here.get(path) === blob));
  if (version === undefined) throw new Error('No commit here could be the version before: name it, as `npm run chaos -- rolling REF`');
  return version;
}

const MIGRATIONS = ['services/*/migrations/*.sql', 'services/*/*-migrations/*.sql', 'libs/*/migrations/*.sql'];

/** By path what stands in it. */
function migrationsAt(checkout: string, commit: string): Map<string, string> {
  const listed = git(checkout, 'ls-tree', '-r', commit).split('\n');
  return new Map(
    listed.flatMap((line) => {
      const [, , blob = '', path = ''] = line.split(/\s+/);
      return /^(services|libs)\/[^/]+\/([^/]+-)?migrations\/[^/]+\.sql$/.test(path) ? [[path, blob] as const] : [];
    }),
  );
}

const git = (cwd: string, ...args: string[]): string => execFileSync('git', args, { cwd, encoding: 'utf8' }).trim();
