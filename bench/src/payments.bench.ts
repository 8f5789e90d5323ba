import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startStack } from '@tidegate/local-stack/stack/start-stack';
import { atRate, median, saturate, type Round, type Target } from './measure.js';

/**
 * What Tidegate adds to a payment: through gateway and payments, beside a bare Fastify handler that makes the same two SDK calls to the
 * same simulator and one INSERT. Deliveries, receipts and reconciliation are off on both sides, fsync is on, rounds alternate.
 * Limits: added p50 <= 10 ms at 20 payments/s; saturated payments/s at least 0.3 of the bare handler's.
 */
const ROUNDS = 3;
const SECONDS = 8;
/** So many that more of them add nothing on either side. */
const CONNECTIONS = 64;
const MAX_ADDED_P50_MS = 10;
const MIN_RATIO = 0.3;

const dir = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
const stack = await startStack({
  dir,
  fsync: true,
  caller: {},
  services: ['gateway', 'payments'],
  env: {
    '*': { LOG_LEVEL: 'warn', STRIPE_REQUEST_RATE_LIMIT: '100000', STRIPE_MAX_IN_FLIGHT: '1000' },
    simulator: { SIMULATOR_STATE: '' },
  },
});
const bare = spawn(process.execPath, [fileURLToPath(new URL('./bare-payments.js', import.meta.url))], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: {
    ...process.env,
    STRIPE_API_BASE: stack.urls.simulator,
    STRIPE_SECRET_KEY: stack.stripe.secretKey,
    DATABASE_URL: stack.databaseUrl(),
  },
});
try {
  const reference: Target = { url: await urlOf(bare), headers: {} };
  const ours: Target = { url: stack.urls.gateway[0]!, headers: { authorization: `Bearer ${stack.keys.default}` } };
  await warmUp(reference, ours);
  const paced = await alternate(reference, ours, (target) => atRate(target, 20, SECONDS));
  const saturated = await alternate(reference, ours, (target) => saturate(target, CONNECTIONS, SECONDS));
  report(paced, saturated);
} finally {
  bare.kill('SIGTERM');
  await stack.stop();
  rmSync(dir, { recursive: true, force: true });
}

interface Pair {
  reference: Round[];
  ours: Round[];
}

async function urlOf(child: ChildProcess): Promise<string> {
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  return (JSON.parse(line.toString()) as { url: string }).url;
}

async function warmUp(...targets: Target[]): Promise<void> {
  for (const target of targets) await saturate(target, 4, 3);
}

async function alternate(reference: Target, ours: Target, round: (target: Target) => Promise<Round>): Promise<Pair> {
  const pair: Pair = { reference: [], ours: [] };
  for (let i = 0; i < ROUNDS; i++) {
    for (const [name, target] of [
      ['reference', reference],
      ['ours', ours],
    ] as const) {
      const done = await round(target);
      pair[name].push(done);
      console.log(
        `round ${i + 1} ${name.padEnd(9)} ${done.perSecond.toFixed(1).padStart(7)}/s  p50 ${done.p50Ms.toFixed(1)} ms  p99 ${done.p99Ms.toFixed(1)} ms  failed ${done.failed}`,
      );
    }
  }
  return pair;
}

function report(paced: Pair, saturated: Pair): void {
  const of = (rounds: Round[], field: keyof Round) => median(rounds.map((r) => r[field]));
  const addedP50 = of(paced.ours, 'p50Ms') - of(paced.reference, 'p50Ms');
  const [ours, reference] = [of(saturated.ours, 'perSecond'), of(saturated.reference, 'perSecond')];
  const ratio = ours / reference;
  const failed = [...paced.ours, ...saturated.ours].reduce((sum, r) => sum + r.failed, 0);
  console.log(
    `At 20/s Tidegate adds ${addedP50.toFixed(1)} ms at the median (limit ${MAX_ADDED_P50_MS}). Saturated: ${ours.toFixed(0)}/s beside ${reference.toFixed(0)}/s, ratio ${ratio.toFixed(2)} (limit ${MIN_RATIO}). Failed: ${failed}.`,
  );
  if (addedP50 > MAX_ADDED_P50_MS || ratio < MIN_RATIO || failed > 0) process.exitCode = 1;
  console.log(
    JSON.stringify({
      bench: 'payments',
      ours,
      reference,
      ratio,
      p50_ms: of(paced.ours, 'p50Ms'),
      p99_ms: of(paced.ours, 'p99Ms'),
      added_p50_ms: addedP50,
    }),
  );
}
