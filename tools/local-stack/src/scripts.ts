import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { testEnvironment } from './checks/test-environment.js';
import { nodeProgram, repositoryRoot } from './repository.js';

/** Runs a TypeScript file, by its path from the root of the checkout, on the built packages; resolves with its exit code. */
export async function runScript(file: string, args: readonly string[]): Promise<number> {
  const loader = join(repositoryRoot(), 'tools', 'local-stack', 'dist', 'typescript-loader.js');
  const child = spawn(nodeProgram(), ['--enable-source-maps', '--import', loader, join(repositoryRoot(), file), ...args], {
    cwd: repositoryRoot(),
    env: testEnvironment(process.env),
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  process.on('disconnect', () => child.kill('SIGTERM'));
  return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
}
