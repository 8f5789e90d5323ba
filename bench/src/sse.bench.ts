import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startStack } from '@tidegate/local-stack/stack/start-stack';
import { eventually } from '@tidegate/test-harness/eventually';
import { StreamClient } from '@tidegate/test-harness/stream-client';
import { request } from 'undici';
import { median } from './measure.js';
import { residentBytes } from './resident-bytes.js';

/**
 * What clients of the billing stream cost: 1,000 connections that nothing is published for, in resident memory of one gateway process, beside a bare HTTP server
 * with as many. Then how long an event takes from the moment it happened to each of the 1,000. Limit: 100 MB added.
 */
const CONNECTIONS = 1_000;
const MAX_ADDED_MB = 100;
/** Longer than from one heartbeat to the next, so that each connection has written some. */
const IDLE_MS = 20_000;
const EVENTS = 20;

const dir = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
const stack = await startStack({
  dir,
  fsync: true,
  caller: {},
  services: ['gateway', 'payments'],
  env: { '*': { LOG_LEVEL: 'warn' }, simulator: { SIMULATOR_STATE: '' } },
});
const bare = spawn(process.execPath, [fileURLToPath(new URL('./bare-sse.js', import.meta.url))], { stdio: ['ignore', 'pipe', 'inherit'] });
try {
  const [line] = (await once(bare.stdout, 'data')) as [Buffer];
  const headers = { authorization: `Bearer ${stack.keys.default}` };
  const reference = await idle({ pid: bare.pid!, url: (JSON.parse(line.toString()) as { url: string }).url, headers: {} });
  for (const client of reference.clients) client.stop();
  const ours = await idle({ pid: stack.pid('gateway')!, url: `${stack.urls.gateway[0]}/v1/billing/stream`, headers });
  const latencies = await tell(ours.clients, headers);
  for (const client of ours.clients) client.stop();
  report(ours.addedMb, reference.addedMb, latencies);
} finally {
  bare.kill('SIGTERM');
  await stack.stop();
  rmSync(dir, { recursive: true, force: true });
}

interface Target {
  pid: number;
  url: string;
  headers: Record<string, string>;
}

/** Opens the connections, lets them be, and answers what they added. A first hundred has come and gone before, so that code is not counted. */
async function idle({ pid, url, headers }: Target): Promise<{ addedMb: number; clients: StreamClient[] }> {
  const open = async (count: number) => {
    const clients = Array.from({ length: count }, () => new StreamClient({ url: () => url, headers }));
    await eventually(() => allOpen(clients), { timeoutMs: 60_000 });
    return clients;
  };
  for (const client of await open(100)) client.stop();
  await pause(3_000);
  const before = await resident(pid);
  const clients = await open(CONNECTIONS);
  await pause(IDLE_MS);
  const addedMb = ((await resident(pid)) - before) / 1_000_000;
  console.log(`${url}: ${(before / 1_000_000).toFixed(0)} MB before, ${addedMb.toFixed(1)} MB more with ${CONNECTIONS} connections`);
  return { addedMb, clients };
}

function allOpen(clients: readonly StreamClient[]): void {
  const missing = clients.filter(({ lastEventId }) => lastEventId === undefined).length;
  if (missing > 0)
    throw new Error(
      `${missing} connections are not open: ${clients.find(({ answers }) => answers.some((one) => one !== 200))?.answers.join(', ')}`,
    );
}

async function resident(pid: number): Promise<number> {
  const samples: number[] = [];
  for (let n = 0; n < 9; n++) {
    samples.push(residentBytes(pid));
    await pause(200);
  }
  return median(samples);
}

/** Payments one after another; how long each event took to each client, in milliseconds. */
async function tell(clients: readonly StreamClient[], headers: Record<string, string>): Promise<number[]> {
  const took: number[] = [];
  for (let n = 0; n < EVENTS; n++) {
    const seen = clients.map(({ events }) => events.length);
    const answer = await request(`${stack.urls.gateway[0]}/v1/payments`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', 'idempotency-key': `sse-${n}` },
      body: JSON.stringify({ amount: 4200, currency: 'usd', payment_method: 'pm_card_visa' }),
    });
    await answer.body.dump();
    await eventually(() => allGot(clients, seen), { timeoutMs: 30_000 });
    for (const [index, client] of clients.entries())
      for (const event of client.events.slice(seen[index]))
        took.push(event.at - Date.parse((JSON.parse(event.data) as { occurred_at: string }).occurred_at));
  }
  return took.sort((a, b) => a - b);
}

function allGot(clients: readonly StreamClient[], seen: readonly number[]): void {
  if (!clients.every(({ events }, index) => events.slice(seen[index]).some(({ type }) => type === 'payment.succeeded')))
    throw new Error('Not every client has the event');
}

function report(ours: number, reference: number, took: readonly number[]): void {
  const at = (p: number) => took[Math.floor(took.length * p)] ?? Number.NaN;
  console.log(
    `${CONNECTIONS} idle connections add ${ours.toFixed(1)} MB (limit ${MAX_ADDED_MB}), to a bare server ${reference.toFixed(1)} MB. An event is with a client after ${at(0.5)} ms at the median, ${at(0.99)} ms at the 99th percentile, of ${took.length}.`,
  );
  if (!(ours < MAX_ADDED_MB) || took.length < EVENTS * CONNECTIONS) process.exitCode = 1;
  console.log(JSON.stringify({ bench: 'sse', ours, reference, ratio: ours / reference, p50_ms: at(0.5), p99_ms: at(0.99) }));
}
