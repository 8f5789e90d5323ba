import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tryRun } from '../process/run.js';
import { writePrivately } from './private-file.js';

/** Who runs the stack of a folder. */
export interface SupervisorRecord {
  pid: number;
  /** Base URL of the gateway. */
  url: string;
}

/** Names this process as the one that runs the stack of that folder. */
export function claim(dir: string, url: string): void {
  writePrivately(fileIn(dir), JSON.stringify({ pid: process.pid, url } satisfies SupervisorRecord));
}

export function unclaim(dir: string): void {
  rmSync(fileIn(dir), { force: true });
}

/** The process that runs the stack of that folder; undefined when none does, whatever an interrupted run has left in the file. */
export async function currentSupervisor(dir: string): Promise<SupervisorRecord | undefined> {
  try {
    const record = JSON.parse(readFileSync(fileIn(dir), 'utf8')) as SupervisorRecord;
    return record.pid !== process.pid && (await commandOf(record.pid)).includes('local-stack') ? record : undefined;
  } catch {
    return undefined;
  }
}

/** The command line of a process; empty when there is none of that pid. */
export async function commandOf(pid: number): Promise<string> {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return process.platform === 'linux' ? '' : (await tryRun('ps', ['-o', 'command=', '-p', String(pid)])).output;
  }
}

function fileIn(dir: string): string {
  return join(dir, 'supervisor.json');
}
