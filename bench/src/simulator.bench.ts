import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { flagsOf } from './flags.js';
import { median } from './measure.js';
import { type Order, type Result } from './simulator-load.js';
import { type Subject, onCore, startSubject } from './simulator-process.js';

/**
 * How fast and how large the Stripe simulator is. Pairs of create and confirm on one core with events and one webhook endpoint on, the
 * load from another process, beside a bare HTTP handler that reads the same forms; rounds alternate. Then 200,000 intents: what one
 * of them keeps in memory, once the request log and the idempotency keys are at their limits.
 * Limits: 500 pairs/s; 4 kB for an intent with its event. `--seconds=N` sets the length of a round, `--no-memory` leaves out the intents.
 */
const flags = flagsOf({ seconds: { type: 'string', default: '10' }, 'no-memory': { type: 'boolean' } });
const ROUNDS = 3;
const SECONDS = Number(flags.seconds);
const CONNECTIONS = 32;
const MIN_PAIRS = 500;
const INTENTS = 200_000;
const MAX_BYTES = 4_000;
const SIMULATOR = new URL('../../tools/stripe-simulator/dist/main.js', import.meta.url);
const BARE = new URL('./simulator-bare.js', import.meta.url);

const load = fork(new URL('./simulator-load.js', import.meta.url), { execPath: onCore(1)[0] ?? process.execPath, execArgv: loadArgs() });
const [{ endpoint }] = (await once(load, 'message')) as [{ endpoint: string }];
try {
  const memory = flags['no-memory'] ? undefined : await measureMemory();
  await measureSpeed(memory);
} finally {
  load.kill('SIGTERM');
}

/** A round, with the CPU seconds that the program under load has used in it. */
type Measured = Result & { readonly cpu: number };

/** `taskset -c 1 node …` instead of `node …` where cores can be chosen. */
function loadArgs(): string[] {
  return onCore(1).length === 0 ? [] : [...onCore(1).slice(1), process.execPath];
}

async function ask(order: Order): Promise<Result> {
  load.send(order);
  const [result] = (await once(load as ChildProcess, 'message')) as [Result];
  return result;
}

async function measureSpeed(memory: number | undefined): Promise<void> {
  const ours = await startSubject(SIMULATOR, [], { STRIPE_WEBHOOK_URL: endpoint, STRIPE_WEBHOOK_SECRET: 'whsec_benchmark' });
  const bare = await startSubject(BARE, [], { SAMPLE: await sample(ours) });
  const results: { ours: Measured[]; bare: Measured[] } = { ours: [], bare: [] };
  for (const subject of [ours, bare]) await ask({ url: subject.url, seconds: 3, connections: CONNECTIONS, confirm: true });
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const [name, subject] of [['bare', bare] as const, ['ours', ours] as const]) {
      const before = await subject.usage();
      const result = await ask({ url: subject.url, seconds: SECONDS, connections: CONNECTIONS, confirm: true });
      const measured = { ...result, cpu: (await subject.usage()).cpu - before.cpu };
      results[name].push(measured);
      console.log(line(round, name, measured));
    }
  }
  await ours.stop();
  await bare.stop();
  report(results, memory);
}

function line(round: number, name: string, result: Measured): string {
  const rate = (result.pairs / result.seconds).toFixed(0).padStart(5);
  return `round ${round} ${name}  ${rate} pairs/s  p50 ${result.p50Ms.toFixed(1)} ms  p99 ${result.p99Ms.toFixed(1)} ms  CPU ${result.cpu.toFixed(1)} s  failed ${result.failed}  delivered ${result.deliveries}`;
}

/** An intent as the simulator shows it, for the bare handler to answer with. */
async function sample({ url }: Subject): Promise<string> {
  const headers = { Authorization: 'Bearer sk_test_benchmark0001', 'Content-Type': 'application/x-www-form-urlencoded' };
  const answer = await fetch(`${url}/v1/payment_intents`, { method: 'POST', headers, body: 'amount=4200&currency=usd' });
  return answer.text();
}

/** Bytes of heap that one more intent keeps, measured over the last quarter. */
async function measureMemory(): Promise<number> {
  const subject = await startSubject(SIMULATOR, [], {});
  const grow = (pairs: number): Promise<Result> => ask({ url: subject.url, pairs, connections: CONNECTIONS, confirm: false });
  await grow(INTENTS / 4);
  const quarter = await subject.usage();
  await grow(INTENTS / 2);
  const before = await subject.usage();
  await grow(INTENTS / 4);
  const after = await subject.usage();
  await subject.stop();
  const perIntent = (from: { heap: number }, to: { heap: number }, count: number): number => Math.round((to.heap - from.heap) / count);
  const bytes = perIntent(before, after, INTENTS / 4);
  const middle = perIntent(quarter, before, INTENTS / 2);
  console.log(
    `${INTENTS} intents: heap ${(after.heap / 1e6).toFixed(0)} MB; one intent with its event keeps ${bytes} bytes (the ones in the middle, while the logs fill: ${middle}).`,
  );
  return bytes;
}

function report({ ours, bare }: { ours: Measured[]; bare: Measured[] }, bytes: number | undefined): void {
  const rate = (results: Measured[]): number => median(results.map(({ pairs, seconds }) => pairs / seconds));
  const of = (field: 'p50Ms' | 'p99Ms'): number => median(ours.map((result) => result[field]));
  const failed = ours.reduce((sum, result) => sum + result.failed, 0);
  const ratio = rate(ours) / rate(bare);
  console.log(
    `${rate(ours).toFixed(0)} pairs/s (limit ${MIN_PAIRS}) beside ${rate(bare).toFixed(0)} of a bare handler. Failed: ${failed}.`,
  );
  if (rate(ours) < MIN_PAIRS || failed > 0 || (bytes ?? 0) > MAX_BYTES) process.exitCode = 1;
  const perCpuSecond = median(ours.map(({ pairs, cpu }) => pairs / cpu));
  console.log(`Whatever else the machine does: ${perCpuSecond.toFixed(0)} pairs for each second of CPU time.`);
  const figures = {
    ours: rate(ours),
    reference: rate(bare),
    ratio,
    p50_ms: of('p50Ms'),
    p99_ms: of('p99Ms'),
    pairs_per_cpu_second: perCpuSecond,
  };
  console.log(JSON.stringify({ bench: 'simulator', ...figures, ...(bytes !== undefined && { bytes_per_intent: bytes }) }));
}
