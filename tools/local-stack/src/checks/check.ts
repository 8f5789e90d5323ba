/** What one phase of `npm test` came to. */
export interface CheckResult {
  passed: number;
  failed: number;
  skipped: number;
  /** Shown when something failed. */
  output: string;
}

/** One phase: it reports failure as a result, so that the others still run. */
export interface Check {
  name: string;
  run(): Promise<CheckResult>;
}

/**
 * Runs checks in order and returns their sum; those in a list of their own run side by side. Each has a line when it begins and one when it ends; what failed is
 * shown in full under the latter.
 */
export async function runChecks(
  checks: readonly (Check | readonly Check[])[],
  say: (line: string) => void,
): Promise<Omit<CheckResult, 'output'>> {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const step of checks) {
    for (const { passed, failed, skipped } of await Promise.all([step].flat().map((check) => runCheck(check, say)))) {
      total.passed += passed;
      total.failed += failed;
      total.skipped += skipped;
    }
  }
  return total;
}

async function runCheck(check: Check, say: (line: string) => void): Promise<CheckResult> {
  say(`… ${check.name}`);
  const started = performance.now();
  const result = await outcome(check);
  const counts =
    result.passed + result.failed + result.skipped > 1
      ? `: ${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped`
      : '';
  say(`${result.failed === 0 ? '✓' : '✗'} ${check.name}${counts} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  if (result.failed > 0) say(result.output.trimEnd());
  return result;
}

/** A check that consists of one thing that throws when it is not as it should be; it counts as one test. */
export function plainCheck(name: string, work: () => Promise<unknown>): Check {
  return {
    name,
    async run() {
      await work();
      return { passed: 1, failed: 0, skipped: 0, output: '' };
    },
  };
}

/** The line that `npm test` ends with. */
export function lastLine({ passed, failed, skipped }: Omit<CheckResult, 'output'>): string {
  return `tests: ${passed} passed, ${failed} failed, ${skipped} skipped`;
}

async function outcome(check: Check): Promise<CheckResult> {
  try {
    return await check.run();
  } catch (error) {
    return { passed: 0, failed: 1, skipped: 0, output: error instanceof Error ? error.message : String(error) };
  }
}
