import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
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
  const child = spawn(process.execPath, ['--input-type=module', '-', JSON.stringify(setting)], {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: {},
  });
  child.stdin.end(program(file));
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

const programs = new Map<string, string>();

/** A program and all that it imports as one text: a process that reads hundreds of files takes three times as long to start. */
function program(file: string): string {
  const known = programs.get(file);
  if (known !== undefined) return known;
  const { outputFiles } = buildSync({
    entryPoints: [join(import.meta.dirname, file)],
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    conditions: ['tidegate-source'],
    external: ['pg-native'],
    keepNames: true,
    banner: { js: "import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(import.meta.url);" },
    logLevel: 'warning',
  });
  const text = outputFiles[0]?.text ?? '';
  programs.set(file, text);
  return text;
}
