import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Check, lastLine, runChecks } from '../checks/check.js';
import { jestCheck } from '../checks/jest.check.js';
import { staticChecks } from '../checks/static-checks.js';
import { testEnvironment } from '../checks/test-environment.js';
import { findNatsServer } from '../nats-server/find-nats-server.js';
import { releaseSharedTestPostgres, sharedTestPostgres } from '../postgres/shared-test-postgres.js';
import { repositoryRoot } from '../repository.js';

const say = (line: string) => console.log(line);

/** `npm test`: everything that must hold before a change is merged. Arguments go to Jest, for example a pattern of paths. */
export async function test(args: readonly string[]): Promise<number> {
  return runAll((env) => fullSuite(env, args));
}

/** The checks of `npm test`, in order. What needs no running program uses little more than one core each. */
export function fullSuite(env: NodeJS.ProcessEnv, args: readonly string[]): Steps {
  return [
    staticChecks(env),
    jestCheck({ name: 'Unit tests', project: 'unit', env, args, say }),
    jestCheck({ name: 'Integration tests', project: 'int', env, args, say }),
    // Under attack it is no matter how long anything takes; the others look at seconds.
    [
      jestCheck({ name: 'End-to-end tests under attack', project: 'attack', env, args, say, gives: true }),
      jestCheck({ name: 'End-to-end tests', project: 'e2e', env, args, say }),
    ],
  ];
}

type Steps = (Check | Check[])[];

/** Prepares the broker and the shared database, runs the checks, and ends with their sum as the last line. Resolves with the exit code. */
export async function runAll(checks: (env: NodeJS.ProcessEnv) => Steps | Promise<Steps>): Promise<number> {
  const started = performance.now();
  mkdirSync(join(repositoryRoot(), '.tidegate'), { recursive: true });
  endOnSignals();
  await findNatsServer({ say });
  await sharedTestPostgres();
  try {
    const total = await runChecks(await checks(testEnvironment(process.env)), say);
    say(`All in ${Math.round((performance.now() - started) / 1000)} s.`);
    say(lastLine(total));
    return total.failed === 0 ? 0 : 1;
  } finally {
    await releaseSharedTestPostgres();
  }
}

/** What runs then ends with us: tools at our exit, servers of tests through their reapers, the shared database through its guard. */
function endOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));
  process.on('disconnect', () => process.exit(130));
}
