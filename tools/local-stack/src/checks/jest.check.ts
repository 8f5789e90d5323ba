import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { nodeProgram, repositoryRoot } from '../repository.js';
import { type Check, type CheckResult } from './check.js';

export interface JestRun {
  /** As it reads in the progress. */
  name: string;
  project: keyof typeof workers;
  /** More arguments for Jest, such as patterns of paths. */
  args?: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Hears the PASS and FAIL lines while it runs. */
  say: (line: string) => void;
  /** Leaves the processor to what runs beside it. */
  gives?: true;
}

const workers = {
  unit: ['--maxWorkers=2'],
  // These wait for servers half of their time.
  int: ['--maxWorkers=4', '--testTimeout=60000'],
  e2e: ['--maxWorkers=1', '--testTimeout=120000'],
  attack: ['--maxWorkers=1', '--testTimeout=120000'],
  long: ['--maxWorkers=2', '--testTimeout=120000'],
};

/** Of these there are so many that they run many to a file of Jest's; with a pattern of paths they run by themselves. */
const TOGETHER: readonly string[] = ['unit', 'int'];

/** As `nice` counts: about a fifth of the processor for one that wants it as much as its neighbour. What it starts inherits it. */
const GIVEN_WAY = 7;

/** One run of Jest over the specs of a kind. */
export function jestCheck(run: JestRun): Check {
  return { name: run.name, run: () => runJest(run) };
}

async function runJest({ name, project, args = [], env, say, gives }: JestRun): Promise<CheckResult> {
  const results = join(repositoryRoot(), '.tidegate', 'test-results');
  mkdirSync(results, { recursive: true });
  const report = join(results, `${name.replaceAll(/\W+/g, '-')}.json`);
  rmSync(report, { force: true });
  const jest = join(repositoryRoot(), 'node_modules', 'jest', 'bin', 'jest.js');
  const child = spawn(
    nodeProgram(),
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      jest,
      '--selectProjects',
      TOGETHER.includes(project) && args.length === 0 ? `${project}-together` : project,
      '--passWithNoTests',
      '--forceExit',
      '--json',
      `--outputFile=${report}`,
      ...workers[project],
      ...args,
    ],
    { cwd: repositoryRoot(), env, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  if (gives && child.pid !== undefined) setPriority(child.pid, GIVEN_WAY);
  const forget = endWithUs(child);
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    lines.push(line);
    if (/^(PASS|FAIL) /.test(line)) say(`    ${line}`);
  }
  forget();
  const found = countsIn(report);
  return { ...found, output: [...found.failures, ...lines].join('\n') };
}

interface Report {
  testResults: { assertionResults: { status: string; fullName: string; failureMessages: string[] | null }[] }[];
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  numRuntimeErrorTestSuites: number;
}

/** A suite that could not run at all counts as one failed test, and so does Jest itself. What failed is told first, before pages of what was printed meanwhile. */
function countsIn(report: string): Omit<CheckResult, 'output'> & { failures: string[] } {
  try {
    const found = JSON.parse(readFileSync(report, 'utf8')) as Report;
    return {
      passed: found.numPassedTests,
      failed: found.numFailedTests + found.numRuntimeErrorTestSuites,
      skipped: found.numPendingTests + found.numTodoTests,
      failures: found.testResults
        .flatMap((file) => file.assertionResults)
        .filter(({ status }) => status === 'failed')
        .map(({ fullName, failureMessages }) => `✗ ${fullName}\n  ${shortened(failureMessages?.[0] ?? '')}`),
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0, failures: [] };
  }
}

/** The beginning of a message, in one line. */
const shortened = (message: string): string => stripVTControlCharacters(message).replace(/\s+/g, ' ').slice(0, 300);

/** Jest starts workers of its own, which end when it does; it must not outlive us. */
function endWithUs(child: { kill(signal: NodeJS.Signals): boolean }): () => void {
  const end = () => void child.kill('SIGTERM');
  process.on('exit', end);
  return () => void process.off('exit', end);
}
