import { tryRun } from '../process/run.js';

/** The version that a nats-server program says it is ("2.14.5"); undefined when it cannot be run or says something else. */
export async function probeVersion(program: string): Promise<string | undefined> {
  const { output, failure } = await tryRun(program, ['--version'], { timeoutMs: 10_000 });
  return failure === undefined ? /^nats-server: v(\d+\.\d+\.\d+)/m.exec(output)?.[1] : undefined;
}

/** Whether `version` is `floor` or newer; both as "major.minor.patch". */
export function isAtLeast(version: string, floor: string): boolean {
  const [have, need] = [version.split('.').map(Number), floor.split('.').map(Number)];
  for (let part = 0; part < 3; part += 1) {
    const difference = (have[part] ?? 0) - (need[part] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
