import { spawn } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../repository.js';

type Message = { line: string } | { ready: string } | { failed: string };

/** Starts a supervisor that lives on without us, shows its progress, and returns when the stack is ready: 0, or 1 when it failed. */
export async function startDetached(args: readonly string[]): Promise<number> {
  const logs = join(repositoryRoot(), '.tidegate', 'logs');
  mkdirSync(logs, { recursive: true });
  const log = openSync(join(logs, 'supervisor.log'), 'a', 0o600);
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', 'start', ...args, '--supervised'], {
    stdio: ['ignore', log, log, 'ipc'],
    detached: true,
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => child.kill('SIGTERM'));
  return new Promise((resolve) => {
    child.on('message', (message: Message) => {
      if ('line' in message) console.log(message.line);
      else if ('ready' in message) {
        console.log(`${message.ready}\n\n"npm stop" stops everything.`);
        child.disconnect();
        child.unref();
        resolve(0);
      } else console.error(message.failed);
    });
    child.on('exit', () => resolve(1));
  });
}
