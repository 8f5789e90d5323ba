import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startStack } from '@tidegate/local-stack/stack/start-stack';
import { median, saturate, type Round, type Target } from './measure.js';

/**
 * What an open breaker costs: POST /v1/payments through gateway and payments while the breaker is isolated, beside a bare Fastify route that answers 503 at once.
 * Each refused request still is checked, authenticated, sent over the broker and looked up by its key. No call may reach the simulator.
 * Limits: p99 <= 200 ms at 64 connections, no answer but 503 with Retry-After.
 */
const ROUNDS = 3;
const SECONDS = 5;
const CONNECTIONS = 64;
const MAX_P99_MS = 200;

const dir = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
const stack = await startStack({
  dir,
  fsync: true,
  caller: {},
  services: ['gateway', 'payments'],
  env: { '*': { LOG_LEVEL: 'error' }, simulator: { SIMULATOR_STATE: '' } },
});
const bare = spawn(process.execPath, [fileURLToPath(new URL('./bare-refusal.js', import.meta.url))], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  const [line] = (await once(bare.stdout, 'data')) as [Buffer];
  const reference: Target = { url: (JSON.parse(line.toString()) as { url: string }).url, headers: {} };
  const ours: Target = { url: stack.urls.gateway[0]!, headers: { authorization: `Bearer ${stack.keys.default}` } };
  await isolate(ours);
  const before = await callsToStripe();
  const rounds: Record<'reference' | 'ours', Round[]> = { reference: [], ours: [] };
  for (const target of [reference, ours]) await saturate(target, 8, 2, isRefusal);
  for (let i = 0; i < ROUNDS; i++) {
    for (const [name, target] of [
      ['reference', reference],
      ['ours', ours],
    ] as const) {
      const done = await saturate(target, CONNECTIONS, SECONDS, isRefusal);
      rounds[name].push(done);
      console.log(
        `round ${i + 1} ${name.padEnd(9)} ${done.perSecond.toFixed(0).padStart(7)}/s  p50 ${done.p50Ms.toFixed(1)} ms  p99 ${done.p99Ms.toFixed(1)} ms  failed ${done.failed}`,
      );
    }
  }
  report(rounds, (await callsToStripe()) - before);
} finally {
  bare.kill('SIGTERM');
  await stack.stop();
  rmSync(dir, { recursive: true, force: true });
}

function isRefusal(status: number, headers: Record<string, unknown>): boolean {
  return status === 503 && headers['retry-after'] !== undefined;
}

async function isolate({ url, headers }: Target): Promise<void> {
  const answer = await fetch(`${url}/v1/ops/breakers/stripe/isolate`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'benchmark' }),
  });
  if (!answer.ok) throw new Error(`The breaker could not be isolated: ${await answer.text()}`);
}

async function callsToStripe(): Promise<number> {
  const truth = (await (await fetch(`${stack.urls.simulator}/__truth`)).json()) as { requests: unknown[] };
  return truth.requests.length;
}

function report(rounds: Record<'reference' | 'ours', Round[]>, calls: number): void {
  const of = (name: 'reference' | 'ours', field: keyof Round) => median(rounds[name].map((round) => round[field]));
  const [ours, reference, p99] = [of('ours', 'perSecond'), of('reference', 'perSecond'), of('ours', 'p99Ms')];
  const failed = rounds.ours.reduce((sum, round) => sum + round.failed, 0);
  console.log(
    `Open: ${ours.toFixed(0)} refusals/s beside ${reference.toFixed(0)}/s of a bare route, p99 ${p99.toFixed(1)} ms (limit ${MAX_P99_MS}). Other answers: ${failed}. Calls to Stripe: ${calls}.`,
  );
  if (p99 > MAX_P99_MS || failed > 0 || calls > 0) process.exitCode = 1;
  console.log(JSON.stringify({ bench: 'breaker', ours, reference, ratio: ours / reference, p50_ms: of('ours', 'p50Ms'), p99_ms: p99 }));
}
