import { readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tryRun } from '../process/run.js';
import { until } from '../process/until.js';

/**
 * Ends a server that still runs on this data folder though nobody supervises it any more, and removes its `postmaster.pid`. The pid in that file is
 * believed only when the process really is a postmaster of this folder: after a reboot it may be anybody's.
 */
export async function endLeftOver(dataFolder: string): Promise<void> {
  const file = join(dataFolder, 'postmaster.pid');
  const pid = readPid(file);
  if (pid === undefined) return;
  if (await isPostmasterOf(pid, dataFolder)) {
    process.kill(pid, 'SIGINT');
    await until(
      async () => {
        if (await isPostmasterOf(pid, dataFolder)) throw new Error(`process ${pid} still runs`);
      },
      { what: `the PostgreSQL server that an earlier run left behind to stop`, timeoutMs: 20_000 },
    );
  }
  rmSync(file, { force: true });
}

function readPid(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8').split('\n')[0]);
  } catch {
    return undefined;
  }
}

/** Whether that process is a PostgreSQL server whose data folder is this one. */
export async function isPostmasterOf(pid: number, dataFolder: string): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  try {
    // A postmaster makes its data folder its working directory.
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(dataFolder);
  } catch {
    const { output } = await tryRun('ps', ['-o', 'command=', '-p', String(pid)]);
    return output.includes(dataFolder);
  }
}
