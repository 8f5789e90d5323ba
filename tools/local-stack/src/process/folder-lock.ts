import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StackError } from '../stack-error.js';

/** Runs `work` while no other process runs its own under the same folder name. A lock whose holder has died is taken over. */
export async function withFolderLock<T>(folder: string, work: () => Promise<T>, timeoutMs = 120_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  mkdirSync(dirname(folder), { recursive: true });
  while (!acquire(folder)) {
    if (isAbandoned(folder)) rmSync(folder, { recursive: true, force: true });
    else if (performance.now() > deadline) throw new StackError(`Another process holds ${folder} for longer than ${timeoutMs / 1000} s.`);
    else await delay(25);
  }
  try {
    return await work();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function acquire(folder: string): boolean {
  try {
    mkdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  writeFileSync(join(folder, 'pid'), String(process.pid));
  return true;
}

function isAbandoned(folder: string): boolean {
  try {
    process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 0);
    return false;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return true;
    // Just made, its pid not yet written; after a second its maker must have died in between.
    if (code === 'ENOENT') return (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) < Date.now() - 1000;
    return false;
  }
}
