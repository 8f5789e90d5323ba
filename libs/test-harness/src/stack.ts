import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeOwnedFolder } from '@tidegate/local-stack/postgres/owned-folder';
import { type Stack } from '@tidegate/local-stack/stack/stack';
import { type StackOptions } from '@tidegate/local-stack/stack/stack-options';
import { startStack } from '@tidegate/local-stack/stack/start-stack';
import { mustBeEnded } from './leaks.js';

export type { Stack } from '@tidegate/local-stack/stack/stack';
export type StackForTestsOptions = Partial<StackOptions>;

/**
 * The whole built product on free ports in a folder of its own, with the simulator as Stripe; for `*.e2e.spec.ts`. `stop()` ends every process and
 * deletes the folder. Takes some seconds, so a spec shares one. Set TIDEGATE_KEEP_STACKS=1 to keep the folder and read the logs.
 */
export async function stackForTests(options: StackForTestsOptions = {}): Promise<Stack> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'tidegate-stack-'));
  const env = { ...options.env, '*': { ...UNLIMITED, ...options.env?.['*'] } };
  const stack = await startStack({
    dir,
    fsync: false,
    ...options,
    env,
    ...(options.caller === undefined ? { caller: plainCaller() } : {}),
  });
  const ended = mustBeEnded(`the stack in ${dir}`);
  const stop = stack.stop.bind(stack);
  stack.stop = async () => {
    await stop();
    ended();
    if (process.env['TIDEGATE_KEEP_STACKS'] !== undefined) return;
    removeOwnedFolder(join(dir, 'postgres'));
    rmSync(dir, { recursive: true, force: true });
  };
  return stack;
}

/** Tests do not wait for the limits that Stripe's real ones ask for; the specs of the limiter set their own. */
const UNLIMITED = { STRIPE_REQUEST_RATE_LIMIT: '100000', STRIPE_MAX_IN_FLIGHT: '1000' };

/** Tests run the same wherever they run: only what a program needs to run at all is taken from the environment. */
function plainCaller(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ'].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
