import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStack } from '@tidegate/local-stack/stack/start-stack';
import { API_VERSION } from '@tidegate/stripe-gateway/adapter';
import { sign } from '@tidegate/stripe-gateway/signature';
import pg from 'pg';
import { Agent, request } from 'undici';
import { fill, idOf, makeMonths, MONTHS, TENANTS, tenantOf } from './events-rows.js';
import { flagsOf } from './flags.js';
import { percentile } from './measure.js';

/**
 * What ten million stored events cost those who ask for some: one event by its id, what failed at some time, a tenant's page, a rare type, the preview of a replay.
 * Each is asked over REST, through gateway and webhooks, first with a hundredth of the rows (the reference) and then with all of them. At last a month is dropped
 * while deliveries come in. `--rows=N`, `--payload-bytes=N` (1700), `--asks=N` for each question. It needs about 2.5 KB of disk for each row.
 * Limits: p99 with all rows at most MAX_P99_MS, and at most MAX_RATIO times that of the reference; dropping a month holds no delivery up for longer than MAX_STALL_MS.
 */
const flags = flagsOf({
  rows: { type: 'string', default: '10000000' },
  'payload-bytes': { type: 'string', default: '1700' },
  asks: { type: 'string', default: '1000' },
});
const [ROWS, PAYLOAD_BYTES, ASKS] = [Number(flags.rows), Number(flags['payload-bytes']), Number(flags.asks)];
const AT_ONCE = 4;
const MAX_P99_MS = 100;
const MAX_RATIO = 5;
const MAX_STALL_MS = 1000;
const DAY_MS = 86_400_000;

type Question = (rows: number) => string;
const random = (below: number): number => Math.floor(Math.random() * below);
const daysAgo = (): string => new Date(Date.now() - random(30 * (MONTHS - 1)) * DAY_MS).toISOString();

const QUESTIONS: Record<string, Question> = {
  'by id': (rows) => `/v1/ops/webhook-events/${idOf(random(rows))}`,
  'failed by time': () => `/v1/ops/webhook-events?status=failed&limit=50&created_lt=${daysAgo()}`,
  'of a tenant': () => `/v1/ops/webhook-events?tenant=${tenantOf(random(TENANTS))}&limit=50`,
  'of a rare type': () => `/v1/ops/webhook-events?type=charge.dispute.created&limit=50&created_lt=${daysAgo()}`,
};

interface Figures {
  p50Ms: number;
  p99Ms: number;
}

const dir = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
const stack = await startStack({
  dir,
  fsync: true,
  caller: {},
  services: ['gateway', 'webhooks'],
  env: { '*': { LOG_LEVEL: 'error' }, simulator: { SIMULATOR_STATE: '' } },
});
const admin = new pg.Client({ connectionString: stack.databaseUrl() });
const agent = new Agent({ connections: AT_ONCE });
try {
  await admin.connect();
  await makeMonths(admin);
  const few = Math.max(1000, Math.floor(ROWS / 100));
  await fill(admin, { from: 0, to: few, payloadBytes: PAYLOAD_BYTES }, console.log);
  // Twice: the first time warms every process up.
  await askAll(few);
  const reference = await askAll(few);
  await fill(admin, { from: few, to: ROWS, payloadBytes: PAYLOAD_BYTES }, console.log);
  const ours = await askAll(ROWS);
  const preview = await previewed();
  report(reference, ours, preview, await dropped());
} finally {
  await agent.close();
  await admin.end();
  await stack.stop();
  rmSync(dir, { recursive: true, force: true });
}

async function askAll(rows: number): Promise<Map<string, Figures>> {
  const figures = new Map<string, Figures>();
  for (const [name, question] of Object.entries(QUESTIONS)) {
    await ask(() => question(rows), Math.min(200, ASKS));
    figures.set(name, await ask(() => question(rows), ASKS));
    const { p50Ms, p99Ms } = figures.get(name)!;
    console.log(`${String(rows).padStart(9)} rows  ${name.padEnd(15)} p50 ${p50Ms.toFixed(1)} ms  p99 ${p99Ms.toFixed(1)} ms`);
  }
  return figures;
}

async function ask(path: () => string, times: number): Promise<Figures> {
  const took: number[] = [];
  const worker = async (): Promise<void> => {
    while (took.length < times) {
      const startedAt = performance.now();
      const answer = await request(`${stack.urls.gateway[0]}${path()}`, {
        dispatcher: agent,
        headers: { authorization: `Bearer ${stack.keys.default}` },
      });
      await answer.body.text();
      if (answer.statusCode !== 200) throw new Error(`The gateway answered ${answer.statusCode}`);
      took.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  took.sort((a, b) => a - b);
  return { p50Ms: percentile(took, 0.5), p99Ms: percentile(took, 0.99) };
}

/** The preview of a replay of all that failed, in milliseconds; the slowest of five. */
async function previewed(): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    const startedAt = performance.now();
    const answer = await request(`${stack.urls.gateway[0]}/v1/ops/webhook-events/replay`, {
      method: 'POST',
      headers: { authorization: `Bearer ${stack.keys.default}`, 'content-type': 'application/json' },
      body: JSON.stringify({ filter: { status: 'failed' }, dry_run: true, reason: 'benchmark' }),
    });
    if (answer.statusCode !== 200) throw new Error(await answer.body.text());
    await answer.body.text();
    took.push(performance.now() - startedAt);
  }
  return Math.max(...took);
}

interface Dropped {
  rows: number;
  dropMs: number;
  deliveries: number;
  slowestMs: number;
}

/** Drops the oldest month with rows while a hundred deliveries a second come in. */
async function dropped(): Promise<Dropped> {
  const took: number[] = [];
  let over = false;
  const load = (async () => {
    for (let n = 0; !over; n += 1) {
      took.push(await deliver(n));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const oldest = await admin.query<{ month: string; rows: string }>(
    `SELECT to_char(date_trunc('month', min(created)), 'YYYY-MM-DD') AS month, count(*) AS rows FROM webhooks.stripe_events
     WHERE created < (SELECT date_trunc('month', min(created)) + interval '1 month' FROM webhooks.stripe_events)`,
  );
  const { month, rows } = oldest.rows[0]!;
  const startedAt = performance.now();
  const answer = await admin.query<{ done: boolean }>('SELECT webhooks.drop_stripe_events_partition($1::date) AS done', [month]);
  const dropMs = performance.now() - startedAt;
  if (answer.rows[0]?.done !== true) throw new Error(`The month ${month} was not dropped`);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  over = true;
  await load;
  return { rows: Number(rows), dropMs, deliveries: took.length, slowestMs: Math.max(...took) };
}

async function deliver(n: number): Promise<number> {
  const created = Math.floor(Date.now() / 1000);
  const object = { id: `pi_delivered${n}`, object: 'payment_intent', status: 'succeeded', amount: 4200, currency: 'usd', metadata: {} };
  const event = {
    id: `evt_delivered${n}`,
    object: 'event',
    type: 'payment_intent.succeeded',
    created,
    livemode: false,
    api_version: API_VERSION,
    data: { object },
  };
  const body = Buffer.from(JSON.stringify(event));
  const startedAt = performance.now();
  const answer = await request(`${stack.urls.webhooks[0]}/webhooks/stripe`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'stripe-signature': sign(body, stack.stripe.webhookSecret, created) },
    body,
  });
  await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`A delivery was answered ${answer.statusCode}`);
  return performance.now() - startedAt;
}

function report(reference: Map<string, Figures>, ours: Map<string, Figures>, previewMs: number, drop: Dropped): void {
  const questions = [...ours].map(([name, { p99Ms }]) => ({ name, p99Ms, ratio: p99Ms / (reference.get(name)?.p99Ms ?? Number.NaN) }));
  const worst = questions.reduce((a, b) => (b.p99Ms > a.p99Ms ? b : a));
  const worstRatio = Math.max(...questions.map(({ ratio }) => ratio));
  console.log(
    `${ROWS} rows: the slowest question (${worst.name}) has p99 ${worst.p99Ms.toFixed(1)} ms (limit ${MAX_P99_MS}), at most ${worstRatio.toFixed(2)} times that of a hundredth of the rows (limit ${MAX_RATIO}). Preview of a replay: ${previewMs.toFixed(0)} ms. A month of ${drop.rows} rows was dropped in ${drop.dropMs.toFixed(0)} ms; the slowest of ${drop.deliveries} deliveries meanwhile took ${drop.slowestMs.toFixed(0)} ms (limit ${MAX_STALL_MS}).`,
  );
  if (worst.p99Ms > MAX_P99_MS || worstRatio > MAX_RATIO || drop.slowestMs > MAX_STALL_MS) process.exitCode = 1;
  const byId = { ours: ours.get('by id')!, reference: reference.get('by id')! };
  console.log(
    JSON.stringify({
      bench: 'events-table',
      rows: ROWS,
      ours: byId.ours.p99Ms,
      reference: byId.reference.p99Ms,
      ratio: byId.ours.p99Ms / byId.reference.p99Ms,
      p50_ms: byId.ours.p50Ms,
      p99_ms: worst.p99Ms,
      p99_by_question_ms: Object.fromEntries(questions.map(({ name, p99Ms }) => [name, p99Ms])),
      preview_ms: previewMs,
      drop_ms: drop.dropMs,
      slowest_delivery_ms: drop.slowestMs,
    }),
  );
}
