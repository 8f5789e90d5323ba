import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type World } from './world.js';

export interface Child {
  pid: number;
  /** The signal that ended it, with what it wrote to stderr. */
  ended: Promise<{ signal: string | null; stderr: string }>;
  kill(): Promise<void>;
}

/** Starts child.main.ts. It dies with the world at the latest. */
export function startChild(world: World, options: { failpoint?: string; poison?: number } = {}): Child {
  return startProgram(world, 'child.main.ts', {
    ...options,
    nats: { payments: world.nats.url('payments'), receipts: world.nats.url('receipts') },
    database: { payments: world.database.urlFor('payments'), receipts: world.database.urlFor('receipts') },
  });
}

/** Starts a program of this folder with a setting. It dies with the world at the latest. */
export function startProgram(world: World, file: string, setting: object): Child {
  const child = spawn(
    process.execPath,
    [
      '--experimental-transform-types',
      '--disable-warning=ExperimentalWarning',
      '--conditions=tidegate-source',
      '--import',
      join(import.meta.dirname, 'run-typescript.mjs'),
      join(import.meta.dirname, file),
      JSON.stringify(setting),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: {} },
  );
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const ended = new Promise<{ signal: string | null; stderr: string }>((resolve) =>
    child.once('close', (_, signal) => resolve({ signal, stderr })),
  );
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  world.onClose(kill);
  return { pid: child.pid ?? 0, ended, kill };
}
