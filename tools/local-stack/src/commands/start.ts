import { join } from 'node:path';
import { demonstrate } from '../demo.js';
import { Watchers } from '../observability/watchers.js';
import { repositoryRoot } from '../repository.js';
import { type CallerStripe, stripeOfCaller } from '../stack/caller-stripe.js';
import { endLeftOvers } from '../stack/left-overs.js';
import { type Progress, progressOn } from '../stack/progress.js';
import { secretsIn } from '../stack/secrets.js';
import { type Stack } from '../stack/stack.js';
import { makeStackFolder } from '../stack/stack-folder.js';
import { startStack } from '../stack/start-stack.js';
import { claim, currentSupervisor, unclaim } from '../stack/supervisor-file.js';
import { StackError, describeFailure } from '../stack-error.js';
import { startDetached } from './detach.js';
import { Interruption } from './interruption.js';
import { type StartOptions, parseStartOptions } from './start-options.js';
import { explainForwarding, goodToKnow } from './welcome.js';

/** `npm start`: everything up, the demonstration, then the addresses until Ctrl-C. */
export async function start(args: readonly string[]): Promise<number> {
  const options = parseStartOptions(args);
  const dir = join(repositoryRoot(), '.tidegate');
  const other = await currentSupervisor(dir);
  if (other !== undefined) throw new StackError(`Tidegate already runs at ${other.url} (process ${other.pid}): "npm stop" ends it.`);
  if (options.detach && !options.supervised) return startDetached(args);

  const interruption = new Interruption();
  const progress = reporter(options);
  makeStackFolder(dir);
  claim(dir, `http://127.0.0.1:${options.portBase}`);
  try {
    return await runStack({ dir, options, progress, interruption });
  } catch (error) {
    if (interruption.signal.aborted) return 0;
    process.send?.({ failed: describeFailure(error) });
    throw error;
  } finally {
    unclaim(dir);
  }
}

interface Run {
  dir: string;
  options: StartOptions;
  progress: Progress;
  interruption: Interruption;
}

async function runStack({ dir, options, progress, interruption }: Run): Promise<number> {
  for (const name of ['DATABASE_URL', 'NATS_URL']) {
    if (process.env[name] !== undefined) progress.say(`${name} is ignored: the local stack runs its own.`);
  }
  const stripe = stripeOfCaller(process.env, secretsIn(dir).stripeWebhookSecret);
  await endLeftOvers(dir);
  const watchers = options.observability ? await progress.step('Jaeger', () => Watchers.start(dir, progress.say)) : undefined;
  const stack = await startStack({
    dir,
    portBase: options.portBase,
    replicas: options.replicas,
    fsync: true,
    restartCrashed: true,
    progress,
    signal: interruption.signal,
    ...(stripe.kind === 'simulator' ? {} : { stripe: stripe.settings }),
    withoutApiKeys: stripe.kind === 'live',
    ...(watchers === undefined ? {} : { caller: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: watchers.otlp } }),
  }).catch(async (error: unknown) => {
    await watchers?.stop();
    throw error;
  });
  interruption.onImpatience(() => stack.killAll());
  try {
    if (watchers) await progress.step('Prometheus', () => watchers.watch(stack));
    return await serve(stack, stripe, { options, progress, interruption, watchers });
  } finally {
    await progress.step('Stop', () => Promise.all([stack.stop(), watchers?.stop()]));
  }
}

async function serve(
  stack: Stack,
  stripe: CallerStripe,
  { options, progress, interruption, watchers }: Omit<Run, 'dir'> & { watchers: Watchers | undefined },
): Promise<number> {
  if (stripe.kind !== 'simulator') progress.say(explainForwarding(stack, stripe));
  if (options.supervised) {
    process.send?.({ ready: goodToKnow(stack, await watchers?.addresses()) });
    await interruption.happened;
    return 0;
  }
  const failure = stripe.kind === 'live' ? undefined : await tryDemonstration(stack, stripe, { progress, interruption, watchers });
  if (failure !== undefined) console.error(failure);
  if (options.once || interruption.signal.aborted) return failure === undefined || interruption.signal.aborted ? 0 : 1;
  progress.say(`${goodToKnow(stack, await watchers?.addresses())}\n\nCtrl-C stops everything.`);
  await interruption.happened;
  return 0;
}

async function tryDemonstration(
  stack: Stack,
  stripe: CallerStripe,
  { progress, interruption, watchers }: Pick<Run, 'progress' | 'interruption'> & { watchers: Watchers | undefined },
): Promise<string | undefined> {
  try {
    const traceId = await interruption.orReject(demonstrate({ stack, progress, realStripe: stripe.kind !== 'simulator' }));
    if (watchers) progress.say(await watchers.tree(traceId));
    return undefined;
  } catch (error) {
    return `The demonstration failed: ${describeFailure(error)}`;
  }
}

/** To the terminal; for a detached supervisor to the one who waits for it, as long as there is one. */
function reporter({ supervised }: StartOptions): Progress {
  if (!supervised) return progressOn(process.stdout);
  const log = progressOn(process.stdout);
  return {
    say(line) {
      log.say(line);
      if (process.connected) process.send?.({ line });
    },
    async step(label, work) {
      const result = await log.step(label, work);
      if (process.connected) process.send?.({ line: `✓ ${label}` });
      return result;
    },
  };
}
