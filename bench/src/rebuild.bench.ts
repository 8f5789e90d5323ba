import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '@tidegate/database/database';
import { noFailpoints } from '@tidegate/database/failpoints';
import { Lease } from '@tidegate/database/lease';
import { startStack } from '@tidegate/local-stack/stack/start-stack';
import { connectBroker } from '@tidegate/messaging/connection';
import { serveOutboxRead } from '@tidegate/messaging/outbox-read.rpc';
import { OutboxRelay } from '@tidegate/messaging/relay';
import { createLogger } from '@tidegate/telemetry/logger';
import pg from 'pg';
import { type RawRead } from './bare-reading.js';
import { flagsOf } from './flags.js';
import { EVENTS_OF_A_PAYMENT, writeHistory } from './payment-history.js';

/**
 * How fast reconciliation's tables (recorded payments and refunds, and the ledger) are made from N published events: by its live consumer while payments publishes them, and
 * then by a rebuild in a generation of its own beside it, both through the inbox, with fsync. The checksums of all tables have to be equal. Beside it every message of the
 * stream is read once from the broker and counted, in a process of its own. `--events=N`, `--profile=DIR` for the rebuild's CPU profile.
 * Limits: MIN_PER_SECOND for the rebuild, and equal checksums.
 */
const flags = flagsOf({ events: { type: 'string', default: '500000' }, profile: { type: 'string' } });
const PAYMENTS = Math.ceil(Number(flags.events) / EVENTS_OF_A_PAYMENT);
const EVENTS = PAYMENTS * EVENTS_OF_A_PAYMENT;
const MIN_PER_SECOND = 20_000;
const STREAM = 'PAYMENTS_EVENTS';
/** More than the events take: what the broker refused would come from the owner's table, and be no reading of a stream. */
const MAX_BYTES = 1024 ** 3;
/** As a database of so many events would have; with 128 MiB, a server writes out what it reads again a moment later. */
const LARGE_DATABASE = ['shared_buffers=1GB', 'max_wal_size=4GB'];
const repository = fileURLToPath(new URL('../../', import.meta.url));
const logger = createLogger({ service: 'bench', level: 'error' });

interface Rebuilt {
  checksums: Record<string, { rows: number; digest: string }>;
}

const dir = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
const stack = await startStack({
  dir,
  fsync: true,
  postgresSettings: LARGE_DATABASE,
  caller: {},
  services: ['reconciliation'],
  withoutApiKeys: true,
  env: {
    reconciliation: {
      LOG_LEVEL: 'error',
      RECONCILIATION_CRON: 'off',
      RECONCILIATION_ROLLING_SECONDS: '0',
      RECONCILIATION_STALE_SECONDS: '3600',
    },
    simulator: { SIMULATOR_STATE: '' },
  },
});
const admin = new pg.Client({ connectionString: stack.databaseUrl() });
const stopping: (() => Promise<unknown>)[] = [];
try {
  await admin.connect();
  await writeHistory(admin, PAYMENTS);
  await admin.query('ANALYZE payments.outbox');
  console.log(`${EVENTS} events of ${PAYMENTS} payments are written`);
  const startedAt = performance.now();
  for (const name of ['payments', 'webhooks', 'receipts'] as const) await own(name);
  await consumed();
  const live = EVENTS / ((performance.now() - startedAt) / 1000);
  console.log(`live consumer, published meanwhile: ${live.toFixed(0)}/s`);
  await published();
  const raw = await readRaw();
  console.log(`raw reading: ${raw.messages} messages, ${(raw.messages / raw.seconds).toFixed(0)}/s`);
  const before = await checksums();
  const { seconds, checksums: after } = await rebuilt();
  report({ live, raw, seconds, isEqual: JSON.stringify(before) === JSON.stringify(after), rows: rowsOf(after) });
} finally {
  for (const stop of stopping.reverse()) await stop();
  await admin.end();
  await stack.stop();
  rmSync(dir, { recursive: true, force: true });
}

/** The owner of a stream, as far as its outbox goes. */
async function own(name: 'payments' | 'webhooks' | 'receipts'): Promise<void> {
  const opened = openDatabase<Record<string, never>>(
    { url: stack.databaseUrl(name), poolSize: 4, applicationName: `bench ${name}` },
    logger,
  );
  const broker = await connectBroker({
    servers: stack.natsUrl(name),
    name: `bench-${name}`,
    service: name,
    logger,
    ...(name === 'payments' ? { topology: { maxBytes: MAX_BYTES } } : {}),
  });
  const relay = new OutboxRelay({
    db: opened.db,
    broker,
    owner: name,
    failpoints: noFailpoints,
    logger,
    lease: new Lease(opened.db, 'relay', 'bench'),
  });
  const served = serveOutboxRead(broker, opened.db, name);
  const relaying = relay.run();
  stopping.push(async () => {
    await relay.stop();
    await relaying;
    await served.stop();
    await broker.drain();
    await opened.close();
  });
}

/** Everything is in the live tables. */
async function consumed(): Promise<void> {
  let shown = performance.now();
  for (;;) {
    const { rows } = await admin.query<{ done: string }>(
      `SELECT count(*) AS done FROM reconciliation.inbox WHERE consumer = 'reconciliation-payments' AND state = 'done'`,
    );
    const done = Number(rows[0]!.done);
    if (done >= EVENTS) return;
    if (performance.now() - shown > 10_000) {
      shown = performance.now();
      console.log(`  ${done} of ${EVENTS}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Also in the stream: the live consumer may have had the last ones from their owner's table. */
async function published(): Promise<void> {
  for (;;) {
    const { rows } = await admin.query<{ published: string }>('SELECT published FROM payments.outbox_state');
    if (Number(rows[0]!.published) >= EVENTS) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function readRaw(): Promise<RawRead> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./bare-reading.js', import.meta.url))], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { PATH: process.env['PATH'], NATS_URL: stack.natsUrl(), STREAM },
  });
  await once(child, 'message');
  child.send('read');
  const [read] = (await once(child, 'message')) as [RawRead];
  child.kill();
  if (read.messages !== EVENTS) throw new Error(`Bug: the stream has ${read.messages} of ${EVENTS} messages`);
  return read;
}

function environment(): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    NODE_ENV: 'production',
    LOG_LEVEL: 'error',
    DATABASE_URL: stack.databaseUrl('reconciliation'),
    NATS_URL: stack.natsUrl('reconciliation'),
    STRIPE_SECRET_KEY: stack.stripe.secretKey,
    STRIPE_API_BASE: stack.stripe.apiBase,
  };
}

async function rebuilt(): Promise<Rebuilt & { seconds: number }> {
  const profile = flags.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${flags.profile}`];
  const startedAt = performance.now();
  const done = await commanded(profile, []);
  return { ...done, seconds: (performance.now() - startedAt) / 1000 };
}

async function checksums(): Promise<Rebuilt['checksums']> {
  return (await commanded([], ['--checksums'])).checksums;
}

/** The service's own command for it, in a process of its own. */
async function commanded(node: readonly string[], args: readonly string[]): Promise<Rebuilt> {
  const child = spawn(process.execPath, [...node, join(repository, 'services/reconciliation/dist/rebuild.main.js'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: environment(),
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`The command ended with ${code}`);
  return JSON.parse(out.trim().split('\n').at(-1)!) as Rebuilt;
}

function rowsOf(of: Rebuilt['checksums']): number {
  return Object.values(of).reduce((sum, { rows }) => sum + rows, 0);
}

interface Figures {
  live: number;
  raw: RawRead;
  seconds: number;
  isEqual: boolean;
  rows: number;
}

function report({ live, raw, seconds, isEqual, rows }: Figures): void {
  const [perSecond, reference] = [EVENTS / seconds, raw.messages / raw.seconds];
  console.log(
    `A rebuild handles ${perSecond.toFixed(0)} events/s (aim ${MIN_PER_SECOND}), ${(perSecond / reference).toFixed(2)} of what reading the stream gives (${reference.toFixed(0)}/s); the live consumer ${live.toFixed(0)}/s. ${rows} rows, checksums ${isEqual ? 'equal' : 'DIFFERENT'}.`,
  );
  if (perSecond < MIN_PER_SECOND || !isEqual) process.exitCode = 1;
  console.log(
    JSON.stringify({
      bench: 'rebuild',
      events: EVENTS,
      ours: perSecond,
      reference,
      ratio: perSecond / reference,
      p50_ms: null,
      p99_ms: null,
      live_per_second: live,
      rows,
      equal: isEqual,
    }),
  );
}
