import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startStack } from '@tidegate/local-stack/stack/start-stack';
import pg from 'pg';
import { Agent, request } from 'undici';
import { flagsOf } from './flags.js';
import { median, percentile } from './measure.js';

/**
 * How many usage events a second are accepted, durable: batches of BATCH over REST, through gateway and payments, CONNECTIONS at once, of CUSTOMERS customers over two
 * days, with fsync; reports to Stripe's meter go on meanwhile. Beside a bare Fastify route that parses and INSERTs the same events into a table with the same key, in a
 * process of its own. What is answered as accepted is counted in the table afterwards: as many. Rounds alternate. `--rounds=N`, `--seconds=N`, `--batch=N`, `--profile=DIR`
 * for the CPU profile of payments.
 * Limits: MIN_PER_SECOND, and p99 of a batch at most MAX_P99_MS.
 */
const flags = flagsOf({
  rounds: { type: 'string', default: '3' },
  seconds: { type: 'string', default: '6' },
  batch: { type: 'string', default: '1000' },
  profile: { type: 'string' },
});
const [ROUNDS, SECONDS, BATCH] = [Number(flags.rounds), Number(flags.seconds), Number(flags.batch)];
const CONNECTIONS = 8;
const CUSTOMERS = 200;
const METER = 'bench_calls';
const MIN_PER_SECOND = 10_000;
const MAX_P99_MS = 2_000;
const HOUR_MS = 3_600_000;

interface Target {
  name: 'reference' | 'ours';
  url: string;
  headers: Record<string, string>;
  table: string;
}
interface Measured {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

const dir = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
const stack = await startStack({
  dir,
  fsync: true,
  caller: {},
  services: ['gateway', 'payments'],
  env: {
    '*': { LOG_LEVEL: 'info' },
    ...(flags.profile === undefined ? {} : { payments: { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${flags.profile}` } }),
    simulator: { SIMULATOR_STATE: '' },
  },
});
/** Events that were made so far. */
let events = 0;
const admin = new pg.Client({ connectionString: stack.databaseUrl() });
const bare = spawn(process.execPath, [fileURLToPath(new URL('./bare-usage.js', import.meta.url))], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { PATH: process.env['PATH'], DATABASE_URL: stack.databaseUrl() },
});
try {
  const [line] = (await once(bare.stdout, 'data')) as [Buffer];
  await admin.connect();
  const key = { authorization: `Bearer ${stack.keys.default}` };
  const targets: Target[] = [
    { name: 'reference', url: (JSON.parse(line.toString()) as { url: string }).url, headers: {}, table: 'bare_usage' },
    { name: 'ours', url: stack.urls.gateway[0]!, headers: key, table: 'payments.usage_events' },
  ];
  const customers = await prepared(targets[1]!);
  for (const target of targets) await measure(target, customers, 2);
  const done: Record<Target['name'], Measured[]> = { reference: [], ours: [] };
  for (let round = 1; round <= ROUNDS; round += 1)
    for (const target of targets) {
      const measured = await measure(target, customers, SECONDS);
      done[target.name].push(measured);
      console.log(
        `${round} ${target.name.padEnd(9)} ${measured.perSecond.toFixed(0).padStart(7)} events/s  batch p50 ${measured.p50Ms.toFixed(0)} ms  p99 ${measured.p99Ms.toFixed(0)} ms`,
      );
    }
  report(done);
} finally {
  bare.kill('SIGTERM');
  await admin.end();
  await stack.stop();
  rmSync(dir, { recursive: true, force: true });
}

/** A meter, and customers whom payments knows. */
async function prepared({ url, headers }: Target): Promise<string[]> {
  const { apiBase, secretKey } = stack.stripe;
  const meter = await fetch(`${apiBase}/v1/billing/meters`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secretKey}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ display_name: METER, event_name: METER, 'default_aggregation[formula]': 'sum' }).toString(),
  });
  if (!meter.ok) throw new Error(await meter.text());
  const customers: string[] = [];
  for (let n = 0; n < CUSTOMERS; n += 1) {
    for (;;) {
      const answer = await fetch(`${url}/v1/customers`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json', 'idempotency-key': `bench-customer-${n}` },
        body: '{}',
      });
      const { id } = (await answer.json()) as { id?: string };
      if (answer.status === 201 && id) {
        customers.push(id);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  return customers;
}

async function measure(target: Target, customers: readonly string[], seconds: number): Promise<Measured> {
  await admin.query('CHECKPOINT');
  const before = await stored(target);
  const agent = new Agent({ connections: CONNECTIONS });
  const took: number[] = [];
  let accepted = 0;
  const startedAt = performance.now();
  const worker = async (): Promise<void> => {
    while (performance.now() - startedAt < seconds * 1000) {
      const body = batch(customers);
      const sentAt = performance.now();
      const answer = await request(`${target.url}/v1/usage-events`, {
        method: 'POST',
        dispatcher: agent,
        headers: { 'content-type': 'application/json', ...target.headers },
        body,
      });
      const text = await answer.body.text();
      if (answer.statusCode !== 200) throw new Error(`${target.name} answered ${answer.statusCode}: ${text}`);
      took.push(performance.now() - sentAt);
      accepted += (JSON.parse(text) as { accepted: number }).accepted;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  const elapsed = (performance.now() - startedAt) / 1000;
  await agent.close();
  const now = await stored(target);
  if (now - before !== accepted) throw new Error(`${target.name} accepted ${accepted} events and stored ${now - before}`);
  took.sort((a, b) => a - b);
  return { perSecond: accepted / elapsed, p50Ms: percentile(took, 0.5), p99Ms: percentile(took, 0.99) };
}

async function stored({ table }: Target): Promise<number> {
  const { rows } = await admin.query<{ count: string }>(`SELECT count(*) FROM ${table}`);
  return Number(rows[0]!.count);
}

function batch(customers: readonly string[]): string {
  const now = Date.now();
  const some = Array.from({ length: BATCH }, () => ({
    id: `bench-${(events += 1)}`,
    customer: customers[Math.floor(Math.random() * customers.length)],
    meter: METER,
    value: (Math.random() * 100).toFixed(3),
    at: new Date(now - Math.random() * 48 * HOUR_MS).toISOString(),
  }));
  return JSON.stringify({ events: some });
}

function report(done: Record<Target['name'], Measured[]>): void {
  const of = (rounds: readonly Measured[], field: keyof Measured) => median(rounds.map((round) => round[field]));
  const [ours, reference] = [of(done.ours, 'perSecond'), of(done.reference, 'perSecond')];
  const p99Ms = of(done.ours, 'p99Ms');
  console.log(
    `${ours.toFixed(0)} events/s are accepted and on disk (limit ${MIN_PER_SECOND}), ${(ours / reference).toFixed(2)} of a bare INSERT (${reference.toFixed(0)}/s); p99 of a batch of ${BATCH} ${p99Ms.toFixed(0)} ms (limit ${MAX_P99_MS}).`,
  );
  if (ours < MIN_PER_SECOND || p99Ms > MAX_P99_MS) process.exitCode = 1;
  console.log(
    JSON.stringify({
      bench: 'usage',
      batch: BATCH,
      ours,
      reference,
      ratio: ours / reference,
      p50_ms: of(done.ours, 'p50Ms'),
      p99_ms: p99Ms,
    }),
  );
}
