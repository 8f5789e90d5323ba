import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { testEnvironment } from './checks/test-environment.js';
import { nodeProgram, repositoryRoot } from './repository.js';

/** Runs a built program, by its path from the root of the checkout, with the environment of tests; resolves with its exit code. */
export async function runScript(file: string, args: readonly string[]): Promise<number> {
  const child = spawn(nodeProgram(), ['--enable-source-maps', join(repositoryRoot(), file), ...args], {
    cwd: repositoryRoot(),
    env: testEnvironment(process.env),
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  process.on('disconnect', () => child.kill('SIGTERM'));
  return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
}
