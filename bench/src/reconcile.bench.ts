import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startStack } from '@tidegate/local-stack/stack/start-stack';
import pg from 'pg';
import { type Listed } from './bare-listing.js';
import { cpuSeconds } from './cpu-seconds.js';
import { flagsOf } from './flags.js';
import { median } from './measure.js';
import { residentBytes } from './resident-bytes.js';
import { makePayments, recordAll } from './settled-payments.js';

/**
 * How long a reconciliation run of N clean payments takes, asked for over REST: Stripe's lists of intents, charges, refunds, disputes, checkouts and balance transactions
 * beside what is recorded, receipts and the whole ledger included. Beside it a bare client that reads the same pages of the simulator and does nothing with them. Rounds
 * alternate; sizes grow. Calls are those that the service counts itself; its memory is looked at each 100 ms. `--sizes=A,B,C`, `--rounds=N`, `--profile=DIR`.
 * Limits for the size of MAIN: MAX_SECONDS, MAX_MB, and MAX_CALLS times the pages; nothing may be found; and the seconds for each payment of the largest size at most
 * MAX_GROWTH times those of the smallest.
 */
const flags = flagsOf({
  sizes: { type: 'string', default: '10000,50000,100000,200000' },
  rounds: { type: 'string', default: '1' },
  profile: { type: 'string' },
});
const SIZES = flags.sizes.split(',').map(Number);
const ROUNDS = Number(flags.rounds);
const MAIN = 100_000;
const MAX_SECONDS = 60;
const MAX_MB = 300;
const MAX_CALLS = 1.05;
const MAX_GROWTH = 1.5;
const DAY_MS = 86_400_000;

interface Run {
  id: string;
  status: string;
  counts: Record<string, number>;
  progress: { pages: number; objects: number };
  created_at: string;
  finished_at: string;
}

interface Measured {
  seconds: number;
  pages: number;
  objects: number;
  calls: number;
  peakMb: number;
  cpuSeconds: number;
}

const dir = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
const stack = await startStack({
  dir,
  fsync: true,
  caller: {},
  services: ['gateway', 'payments', 'reconciliation'],
  env: {
    '*': { LOG_LEVEL: 'info', STRIPE_REQUEST_RATE_LIMIT: '10000' },
    reconciliation: {
      RECONCILIATION_CRON: 'off',
      RECONCILIATION_ROLLING_SECONDS: '0',
      RECONCILIATION_STALE_SECONDS: '3600',
      RECONCILIATION_FEES_SECONDS: '3600',
      ...(flags.profile === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${flags.profile}` }),
    },
    simulator: { SIMULATOR_STATE: '', SIMULATOR_BALANCE_DELAY_MS: '0' },
  },
});
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const headers = { authorization: `Bearer ${stack.keys.default}`, 'content-type': 'application/json' };
const runs = `${stack.urls.gateway[0]}/v1/reconciliation/runs`;
const admin = new pg.Client({ connectionString: stack.databaseUrl() });
const stripe = { url: stack.stripe.apiBase!, key: stack.stripe.secretKey };
const bare = spawn(process.execPath, [fileURLToPath(new URL('./bare-listing.js', import.meta.url))], {
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  env: { PATH: process.env['PATH'], STRIPE_API_BASE: stripe.url, STRIPE_SECRET_KEY: stripe.key },
});
try {
  await admin.connect();
  const table: Row[] = [];
  let made = 0;
  for (const size of SIZES) {
    await makePayments({ stripe, admin }, made, size);
    made = await recordAll({ stripe, admin }, console.log);
    table.push(await measure(size));
  }
  report(table);
} finally {
  bare.kill();
  await admin.end();
  await stack.stop();
  rmSync(dir, { recursive: true, force: true });
}

interface Row {
  size: number;
  ours: Measured[];
  reference: Listed[];
}

async function measure(size: number): Promise<Row> {
  const row: Row = { size, ours: [], reference: [] };
  for (let round = 1; round <= ROUNDS; round += 1) {
    const listed = await list(bare);
    const ran = await reconcile();
    row.reference.push(listed);
    row.ours.push(ran);
    console.log(
      `${String(size).padStart(7)} payments  run ${ran.seconds.toFixed(1).padStart(6)} s  listing ${listed.seconds.toFixed(1).padStart(6)} s  ${ran.pages} pages  ${ran.calls} calls  ${ran.peakMb.toFixed(0)} MB  CPU ${ran.cpuSeconds.toFixed(1)} s`,
    );
  }
  return row;
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

async function list(child: ChildProcess): Promise<Listed> {
  child.send({ gte: now() - 2 * 86_400, lt: now() + 1 });
  const [listed] = (await once(child, 'message')) as [Listed];
  return listed;
}

async function reconcile(): Promise<Measured> {
  const pid = stack.pid('reconciliation')!;
  const [calls, cpu] = [await callsSoFar(), cpuSeconds(pid)];
  let peak = 0;
  const look = setInterval(() => (peak = Math.max(peak, residentBytes(pid))), 100);
  try {
    const run = await ended(await requested());
    const found = Object.entries(run.counts).filter(([, count]) => count > 0);
    if (run.status !== 'succeeded' || found.length > 0)
      throw new Error(`The run ${run.status} and found ${JSON.stringify(found)}: ${await failureOf(run)}`);
    return {
      seconds: (Date.parse(run.finished_at) - Date.parse(run.created_at)) / 1000,
      ...run.progress,
      calls: (await callsSoFar()) - calls,
      peakMb: peak / 1e6,
      cpuSeconds: cpuSeconds(pid) - cpu,
    };
  } finally {
    clearInterval(look);
  }
}

async function requested(): Promise<Run> {
  const body = { start_date: day(Date.now() - DAY_MS), end_date: day(Date.now()), mode: 'report', reason: 'benchmark' };
  const answer = await fetch(runs, {
    method: 'POST',
    headers: { ...headers, 'idempotency-key': crypto.randomUUID() },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()) as Run;
}

async function ended({ id }: Run): Promise<Run> {
  for (;;) {
    const run = (await (await fetch(`${runs}/${id}`, { headers })).json()) as Run;
    if (run.status !== 'running') return run;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function failureOf({ id }: Run): Promise<string | null> {
  const { rows } = await admin.query<{ failure: string | null }>('SELECT failure FROM reconciliation.runs WHERE run_id = $1', [id]);
  return rows[0]?.failure ?? null;
}

async function callsSoFar(): Promise<number> {
  const text = await (await fetch(`${stack.urls.reconciliation[0]}/metrics`)).text();
  return [...text.matchAll(/^stripe_requests_total\{[^}]*\} (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

function report(table: readonly Row[]): void {
  const of = (row: Row, field: keyof Measured) => median(row.ours.map((one) => one[field]));
  const rows = table.map((row) => ({
    payments: row.size,
    seconds: of(row, 'seconds'),
    listing_seconds: median(row.reference.map((one) => one.seconds)),
    pages: of(row, 'pages'),
    calls: of(row, 'calls'),
    peak_mb: of(row, 'peakMb'),
    cpu_seconds: of(row, 'cpuSeconds'),
  }));
  const main = rows.find((row) => row.payments === MAIN) ?? rows.at(-1)!;
  const each = (row: (typeof rows)[number]) => row.seconds / row.payments;
  const growth = each(rows.at(-1)!) / each(rows[0]!);
  for (const row of rows)
    console.log(
      `| ${row.payments} | ${row.seconds.toFixed(1)} s | ${row.listing_seconds.toFixed(1)} s | ${(row.seconds / row.listing_seconds).toFixed(2)} | ${row.pages} | ${row.calls} | ${row.peak_mb.toFixed(0)} MB | ${row.cpu_seconds.toFixed(1)} s |`,
    );
  console.log(
    `${main.payments} payments take ${main.seconds.toFixed(1)} s (limit ${MAX_SECONDS}), ${(main.seconds / main.listing_seconds).toFixed(2)} times what reading the pages takes, ${main.peak_mb.toFixed(0)} MB (limit ${MAX_MB}), ${main.calls} calls for ${main.pages} pages (limit ${MAX_CALLS} times). A payment of the largest size takes ${growth.toFixed(2)} times as long as one of the smallest (limit ${MAX_GROWTH}).`,
  );
  const isWithin = main.seconds <= MAX_SECONDS && main.peak_mb <= MAX_MB && main.calls <= main.pages * MAX_CALLS && growth <= MAX_GROWTH;
  if (!isWithin) process.exitCode = 1;
  console.log(
    JSON.stringify({
      bench: 'reconcile',
      ours: main.payments / main.seconds,
      reference: main.payments / main.listing_seconds,
      ratio: main.listing_seconds / main.seconds,
      p50_ms: null,
      p99_ms: null,
      growth,
      sizes: rows,
    }),
  );
}
