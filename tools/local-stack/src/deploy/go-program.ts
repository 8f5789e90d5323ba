import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../cache-folder.js';
import { withFolderLock } from '../process/folder-lock.js';
import { run } from '../process/run.js';
import { withScratchFolder } from '../scratch-folder.js';

/** A program that is compiled from a Go module, for checks that `npm run verify` makes. */
export interface GoProgram {
  name: string;
  /** Path of the package, without a version. */
  package: string;
  version: string;
}

const COMPILING_MS = 1_800_000;

/** Path of the program: from the cache, else compiled now, which needs Go and takes minutes. Go checks the sources against its checksum database. */
export async function goProgram({ name, package: path, version }: GoProgram, say: (line: string) => void): Promise<string> {
  const kept = join(cacheFolder(), `${name}-${version}`, name);
  if (existsSync(kept)) return kept;
  return withFolderLock(
    join(cacheFolder(), `${name}.lock`),
    () =>
      withScratchFolder(async (folder) => {
        if (existsSync(kept)) return kept;
        say(`  ${name} ${version} is compiled, once`);
        await run('go', ['install', `${path}@${version}`], {
          env: { ...process.env, GOBIN: folder, CGO_ENABLED: '0' },
          timeoutMs: COMPILING_MS,
        });
        const [made = ''] = readdirSync(folder);
        mkdirSync(join(kept, '..'), { recursive: true });
        const unfinished = `${kept}.${process.pid}`;
        copyFileSync(join(folder, made), unfinished);
        chmodSync(unfinished, 0o755);
        renameSync(unfinished, kept);
        return kept;
      }),
    COMPILING_MS,
  );
}

/** Folder of the sources of a Go module, which Go downloads and checks. */
export async function goModule(module: string, version: string): Promise<string> {
  return withScratchFolder(async (folder) => {
    const answer = await run('go', ['mod', 'download', '-json', `${module}@${version}`], {
      cwd: folder,
      timeoutMs: 300_000,
      stdoutOnly: true,
    });
    return (JSON.parse(answer) as { Dir: string }).Dir;
  });
}
