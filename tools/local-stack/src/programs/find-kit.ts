import { createHash } from 'node:crypto';
import { accessSync, chmodSync, constants, copyFileSync, cpSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cacheFolder } from '../cache-folder.js';
import { downloadDebianPackage } from '../debian-package.js';
import { fetchFile } from '../fetch-file.js';
import { isAtLeast } from '../nats-server/version.js';
import { withFolderLock } from '../process/folder-lock.js';
import { run, tryRun } from '../process/run.js';
import { withScratchFolder } from '../scratch-folder.js';
import { StackError } from '../stack-error.js';
import { type Kit, kits, platformOf } from './kits.js';

/** Where programs may come from, and where finds are kept. Everything has a default. */
export interface KitSearch {
  cache: string;
  env: NodeJS.ProcessEnv;
  debianPackage: typeof downloadDebianPackage;
  fetch: typeof fetchFile;
  say: (line: string) => void;
  /** `seconds`: what takes longer is not tried, that is, nothing is compiled. */
  patience: 'seconds' | 'minutes';
}

/** Paths of the programs of a kit, by name. */
export type Programs = Readonly<Record<string, string>>;
type Outcome = { found: Programs } | { because: string };
type Route = { name: string; look: (kit: Kit, search: KitSearch) => Promise<Outcome> };

/**
 * The programs of a kit: from the folder that `TIDEGATE_<KIT>_BIN` names, the cache, the PATH, Debian's package unpacked beside the system, the release archive
 * whose checksum its release publishes, or compiled by Go. Null when none of that works (within the patience); `say` hears why of each.
 */
export async function findKit(name: Kit['name'], overrides: Partial<KitSearch> = {}): Promise<Programs | null> {
  const search: KitSearch = {
    cache: cacheFolder(),
    env: process.env,
    debianPackage: downloadDebianPackage,
    fetch: fetchFile,
    say: () => undefined,
    patience: 'minutes',
    ...overrides,
  };
  const kit = kits[name];
  // Not a word of what is usual.
  const quick = await firstOf([fromEnvironment, fromCache, fromPath], kit, { ...search, say: () => undefined });
  if (quick !== null) return quick;
  mkdirSync(search.cache, { recursive: true });
  const slow = search.patience === 'minutes' ? [fromDebian, fromRelease, fromGo] : [fromDebian, fromRelease];
  // One process at a time: the others find the result in the cache.
  return withFolderLock(join(search.cache, `${name}.lock`), () => firstOf([fromCache, ...slow], kit, search), 1_800_000);
}

/** As `findKit`; throws StackError that says what to do when there is none. */
export async function needKit(name: Kit['name'], overrides: Partial<KitSearch> = {}): Promise<Programs> {
  const reasons: string[] = [];
  const say = (line: string) => {
    reasons.push(line);
    overrides.say?.(line);
  };
  const found = await findKit(name, { ...overrides, say });
  if (found !== null) return found;
  throw new StackError(
    [
      `No ${name} could be found:`,
      ...reasons,
      `Install it (${kits[name].debian === undefined ? 'from its releases' : `Debian: ${kits[name].debian.package}`}), or Go, or name its folder in TIDEGATE_${name.toUpperCase()}_BIN.`,
    ].join('\n'),
  );
}

async function firstOf(routes: readonly Route[], kit: Kit, search: KitSearch): Promise<Programs | null> {
  for (const { name, look } of routes) {
    const outcome = await look(kit, search).catch((error: unknown): Outcome => {
      if (error instanceof StackError && name.startsWith('TIDEGATE_')) throw error;
      return { because: error instanceof Error ? error.message : String(error) };
    });
    if ('found' in outcome) return outcome.found;
    search.say(`  ${kit.name} from ${name}: ${outcome.because}`);
  }
  return null;
}

/** Whoever names a folder means it, so one that does not do is an error. */
const fromEnvironment: Route = {
  name: 'TIDEGATE_…_BIN',
  async look(kit, { env }) {
    const variable = `TIDEGATE_${kit.name.toUpperCase()}_BIN`;
    const folder = env[variable];
    if (!folder) return { because: `${variable} is not set` };
    const outcome = await usable(kit, namedAlike(kit, folder));
    if ('because' in outcome) throw new StackError(`${variable}: ${outcome.because}`);
    return outcome;
  },
};

const fromCache: Route = {
  name: 'the cache',
  look: (kit, search) => usable(kit, namedAlike(kit, kept(kit, search))),
};

const fromPath: Route = {
  name: 'the PATH',
  async look(kit, { env }) {
    const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
    const paths = kit.programs.map((program) => {
      const names = [program, kit.alias?.[program] ?? program];
      return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
    });
    const missing = kit.programs.filter((_, index) => paths[index] === undefined);
    if (missing.length > 0) return { because: `no ${missing.join(' and ')} on it` };
    return usable(kit, Object.fromEntries(kit.programs.map((program, index) => [program, paths[index]!])));
  },
};

const fromDebian: Route = {
  name: "Debian's package",
  async look(kit, search) {
    const { debian } = kit;
    if (debian === undefined) return { because: 'there is none' };
    return withScratchFolder(async (folder): Promise<Outcome> => {
      const unpacked = await search.debianPackage(debian.package, folder);
      if (unpacked.because !== undefined) return { because: unpacked.because };
      return keep(kit, search, (program) => join(folder, debian.files[program]!));
    });
  },
};

const fromRelease: Route = {
  name: 'its release',
  async look(kit, search) {
    const platform = platformOf();
    const url = kit.release.archive(platform);
    const sums = await search.fetch(kit.release.sums(platform));
    if ('because' in sums) return sums;
    const archive = url.split('/').at(-1)!;
    const expected = sums.bytes
      .toString('utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+\*?/))
      .find(([, file]) => file === archive)?.[0];
    if (expected === undefined) return { because: `its checksums do not name ${archive}` };
    const download = await search.fetch(url);
    if ('because' in download) return download;
    const actual = createHash('sha256').update(download.bytes).digest('hex');
    if (actual !== expected) return { because: `SHA-256 of ${archive} is ${actual} and should be ${expected}: refused` };
    return withScratchFolder(async (folder) => {
      writeFileSync(join(folder, archive), download.bytes);
      await run('tar', ['-xzf', join(folder, archive), '-C', folder]);
      const content = readdirSync(folder, { withFileTypes: true }).find((entry) => entry.isDirectory())?.name ?? '.';
      return keep(kit, search, (program) => join(folder, content, kit.release.files[program]!));
    });
  },
};

/** From a copy of the module, because one with `replace` lines cannot be installed from outside. Go checks the sources against its checksum database. */
const fromGo: Route = {
  name: 'Go',
  async look(kit, search) {
    const { module, version, packages, versionVariable } = kit.go;
    if ((await tryRun('go', ['version'], { env: search.env, timeoutMs: 10_000 })).failure !== undefined)
      return { because: 'Go is not installed' };
    search.say(`  ${kit.name} is compiled now, which takes minutes …`);
    return withScratchFolder(async (folder): Promise<Outcome> => {
      const listed = await run('go', ['mod', 'download', '-json', `${module}@${version}`], {
        env: search.env,
        cwd: folder,
        stdoutOnly: true,
      });
      const sources = join(folder, 'src');
      cpSync((JSON.parse(listed) as { Dir: string }).Dir, sources, { recursive: true });
      // Go's cache of modules is read-only, and so is its copy.
      await run('chmod', ['-R', 'u+w', sources]);
      for (const program of kit.programs) {
        const named = versionVariable === undefined ? [] : ['-ldflags', `-X ${versionVariable}=${kit.release.version}`];
        const args = ['build', '-trimpath', ...named, '-o', join(folder, program), packages[program]!];
        const build = await tryRun('go', args, { cwd: sources, env: { ...search.env, CGO_ENABLED: '0' }, timeoutMs: 1_500_000 });
        if (build.failure !== undefined) return { because: `it ${build.failure}: ${build.output.trim().split('\n').at(-1) ?? ''}` };
      }
      return keep(kit, search, (program) => join(folder, program));
    });
  },
};

/** Puts the programs into the cache in one step, so that nobody ever sees half of them. */
async function keep(kit: Kit, search: KitSearch, source: (program: string) => string): Promise<Outcome> {
  const checked = await usable(kit, Object.fromEntries(kit.programs.map((program) => [program, source(program)])));
  if ('because' in checked) return checked;
  const folder = kept(kit, search);
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  for (const program of kit.programs) {
    copyFileSync(source(program), join(unfinished, program));
    chmodSync(join(unfinished, program), 0o755);
  }
  rmSync(folder, { recursive: true, force: true });
  renameSync(unfinished, folder);
  return { found: namedAlike(kit, folder) };
}

const kept = (kit: Kit, { cache }: KitSearch): string => join(cache, `${kit.name}-${kit.floor}-or-newer`);

const namedAlike = (kit: Kit, folder: string): Programs =>
  Object.fromEntries(kit.programs.map((program) => [program, join(folder, program)]));

async function usable(kit: Kit, programs: Programs): Promise<Outcome> {
  const missing = Object.values(programs).filter((path) => !isExecutable(path));
  if (missing.length > 0) return { because: `${missing.join(', ')}: not there` };
  const first = programs[kit.programs[0]!]!;
  const { output } = await tryRun(first, [kit.name === 'jaeger' ? 'version' : '--version'], { timeoutMs: 20_000 });
  const version = /(?:version |"gitVersion":\s*"v?|v)(\d+\.\d+\.\d+)/.exec(output)?.[1];
  // Jaeger that Go compiles does not know its own version.
  if (version === undefined && kit.name === 'jaeger' && output !== '') return { found: programs };
  if (version === undefined) return { because: `${first} does not run here` };
  return isAtLeast(version, kit.floor) ? { found: programs } : { because: `${first} is ${version}, older than ${kit.floor}` };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
