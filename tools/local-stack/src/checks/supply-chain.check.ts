import { tryRun } from '../process/run.js';
import { repositoryRoot } from '../repository.js';
import { type Check, type CheckResult } from './check.js';

/** What is asked of npm about the packages that are installed; `.ci/supply-chain` asks the same on a clean checkout, and takes silence for a failure. */
export const QUESTIONS: readonly (readonly string[])[] = [
  ['sbom', '--omit=dev', '--package-lock-only', '--sbom-format=cyclonedx'],
  ['audit', '--omit=dev', '--audit-level=high'],
  ['audit', 'signatures'],
];

/** Signs that whoever knows the answer is out of reach, which says nothing about the packages. */
const NOBODY = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|audit endpoint returned an error/;

/** How npm answers: its output, and how it failed if it did. */
export type Npm = (args: readonly string[]) => Promise<{ output: string; failure?: string }>;

/** Packages are what their authors signed, none has a weakness that is known, and what is in the product can be listed. Questions that nobody answers count as skipped. */
export function supplyChainCheck(npm: Npm = npmHere): Check {
  return {
    name: 'Supply chain',
    async run() {
      const result: CheckResult = { passed: 0, failed: 0, skipped: 0, output: '' };
      for (const question of QUESTIONS) {
        const { output, failure } = await npm(question);
        if (failure === undefined) result.passed += 1;
        else if (NOBODY.test(output)) result.skipped += 1;
        else result.failed += 1;
        if (failure !== undefined) result.output += `npm ${question.join(' ')} ${failure}:\n${output}\n`;
      }
      return result;
    },
  };
}

const npmHere: Npm = (args) => tryRun('npm', [...args, '--fetch-retries=0'], { cwd: repositoryRoot(), timeoutMs: 180_000 });
