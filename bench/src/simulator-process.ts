import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A program under load in a process of its own, on the first core where that can be chosen. */
export interface Subject {
  readonly url: string;
  /** Bytes of the JavaScript heap after a full collection, and CPU seconds so far. */
  usage(): Promise<{ heap: number; cpu: number }>;
  stop(): Promise<void>;
}

const PROBE = fileURLToPath(new URL('./simulator-probe.js', import.meta.url));

/** Starts a built program that prints one line of JSON with its `url` when it listens. */
export async function startSubject(file: URL, args: readonly string[], env: Record<string, string>): Promise<Subject> {
  const command = [...onCore(0), process.execPath, '--expose-gc', '--import', PROBE, fileURLToPath(file), ...args];
  const child = spawn(command[0] as string, command.slice(1), {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
  return {
    url: (JSON.parse(line) as { url: string }).url,
    usage: async () => {
      child.send('usage');
      const [answer] = (await once(child, 'message')) as [{ heap: number; cpu: number }];
      return answer;
    },
    stop: () => ended(child),
  };
}

/** The prefix of a command that must stay on one core; nothing where the system can't say so. */
export function onCore(core: number): string[] {
  return process.platform === 'linux' ? ['taskset', '-c', String(core)] : [];
}

async function ended(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  await once(child, 'exit');
}
