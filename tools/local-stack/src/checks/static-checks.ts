import { join } from 'node:path';
import { checkGenerated, generators } from '../generated.js';
import { run } from '../process/run.js';
import { nodeProgram, repositoryRoot } from '../repository.js';
import { type Check, plainCheck } from './check.js';

/** What needs no running program: generated files, format, lint, types. */
export function staticChecks(env: NodeJS.ProcessEnv): Check[] {
  const tool = (script: string, args: string[]) =>
    run(nodeProgram(), [join(repositoryRoot(), 'node_modules', script), ...args], { cwd: repositoryRoot(), env });
  return [
    plainCheck('Generated files', () => checkGenerated(generators())),
    plainCheck('Format', () =>
      tool('prettier/bin/prettier.cjs', ['--check', '.', '--log-level', 'warn', '--cache', '--cache-location', '.tidegate/prettier-cache']),
    ),
    plainCheck('Lint', () =>
      tool('eslint/bin/eslint.js', ['.', '--max-warnings', '0', '--cache', '--cache-location', '.tidegate/eslint-cache']),
    ),
    plainCheck('Types', () => tool('typescript/bin/tsc', ['-p', 'tsconfig.json', '--noEmit'])),
  ];
}
