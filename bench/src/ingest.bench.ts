import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { migrateAll } from '@tidegate/database/migrate';
import pg from 'pg';
import { cpuSeconds } from './cpu-seconds.js';
import { DeliveryGenerator } from './delivery-generator.js';
import { type Delivered } from './delivery-load.js';
import { flagsOf } from './flags.js';
import { median } from './measure.js';
import { startWebhooks } from './webhooks-stack.js';

/**
 * How many deliveries a second one webhooks process stores: new events of 1.7 KB, each signed, 64 connections, beside a bare Fastify route that verifies
 * the same HMAC, parses and group-commits the same INSERT into the same table of a database of its own. A delivery counts when it is answered 200, and the rows in the
 * table are counted afterwards: as many. The service does all it does in production meanwhile: log lines, metrics, exported spans, and publishing. Rounds alternate
 * on empty tables. Then 1,000 a second.
 * Limits: MIN_RATIO of the bare route; p99 at most MAX_P99_MS at PACE. `--rounds=N`, `--seconds=N`, `--profile=DIR` for the service's CPU profile.
 */
const flags = flagsOf({ rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '6' }, profile: { type: 'string' } });
const [ROUNDS, SECONDS] = [Number(flags.rounds), Number(flags.seconds)];
const CONNECTIONS = 64;
const MIN_RATIO = 0.8;
const PACE = 1_000;
const MAX_P99_MS = 50;

interface Target {
  name: 'reference' | 'ours';
  pid: number;
  url: string;
  database: pg.Client;
}

/** What was measured, how much of it the service had published when the last one was answered, and microseconds of CPU for each delivery. */
type Measured = Delivered & { published: number; serviceCpu: number; postgresCpu: number };

const webhooks = await startWebhooks(flags.profile);
const { stack } = webhooks;
const postgres = stack.processes().find(({ name }) => name === 'postgres')!.pid!;
const generator = new DeliveryGenerator();
const bareUrl = await bareDatabase();
const bareAdmin = new pg.Client({ connectionString: bareUrl() });
await bareAdmin.connect();
const bare = spawn(process.execPath, [fileURLToPath(new URL('./bare-ingest.js', import.meta.url))], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...process.env, DATABASE_URL: bareUrl('webhooks'), STRIPE_WEBHOOK_SECRET: stack.stripe.webhookSecret },
});
try {
  const [line] = (await once(bare.stdout, 'data')) as [Buffer];
  const targets: Target[] = [
    { name: 'reference', pid: bare.pid!, url: (JSON.parse(line.toString()) as { url: string }).url, database: bareAdmin },
    { name: 'ours', pid: stack.pid('webhooks')!, url: webhooks.url, database: webhooks.admin },
  ];
  for (const target of targets) await measure(target, { seconds: 4 });
  const saturated = await alternate(targets, ROUNDS, { seconds: SECONDS });
  const paced = await alternate(targets, 1, { seconds: SECONDS, perSecond: PACE });
  report(saturated, paced);
} finally {
  generator.stop();
  bare.kill('SIGTERM');
  await bareAdmin.end();
  await webhooks.stop();
}

/** A second database on the same server with the same tables; answers its URL for a role. */
async function bareDatabase(): Promise<(role?: string) => string> {
  const at = (role?: string): string => Object.assign(new URL(stack.databaseUrl(role)), { pathname: '/bare' }).href;
  await webhooks.admin.query('CREATE DATABASE bare TEMPLATE template0');
  await migrateAll(at(), { password: (role) => decodeURIComponent(new URL(stack.databaseUrl(role)).password) });
  return at;
}

type Load = { seconds: number; perSecond?: number };

async function alternate(targets: readonly Target[], rounds: number, load: Load): Promise<Record<Target['name'], Measured[]>> {
  const done: Record<Target['name'], Measured[]> = { reference: [], ours: [] };
  for (let round = 1; round <= rounds; round += 1) {
    for (const target of targets) {
      const measured = await measure(target, load);
      done[target.name].push(measured);
      console.log(
        `${load.perSecond === undefined ? 'saturated' : `${load.perSecond}/s`} ${round} ${target.name.padEnd(9)} ${measured.perSecond.toFixed(0).padStart(6)}/s  p50 ${measured.p50Ms.toFixed(1)} ms  p99 ${measured.p99Ms.toFixed(1)} ms  failed ${measured.failed}  CPU ${measured.serviceCpu.toFixed(0)} + ${measured.postgresCpu.toFixed(0)} µs  published meanwhile ${measured.published}`,
      );
    }
  }
  return done;
}

async function measure({ name, pid, url, database }: Target, load: Load): Promise<Measured> {
  await database.query('CHECKPOINT');
  const order = { url, connections: CONNECTIONS, secret: stack.stripe.webhookSecret, status: 200 };
  const cpu = () => [cpuSeconds(pid), cpuSeconds(postgres)] as const;
  const before = cpu();
  const delivered = await generator.run({ ...order, ...load });
  const [serviceCpu, postgresCpu] = cpu().map((seconds, at) => ((seconds - before[at]!) * 1e6) / delivered.answered) as [number, number];
  const { rows } = await database.query<{ stored: string; published: string }>(
    'SELECT count(*) AS stored, count(published_at) AS published FROM webhooks.stripe_events',
  );
  const [stored, published] = [Number(rows[0]?.stored), Number(rows[0]?.published)];
  if (stored !== delivered.answered) throw new Error(`${name} answered ${delivered.answered} deliveries and stored ${stored}`);
  await database.query('TRUNCATE webhooks.stripe_events');
  await relayed(database);
  return { ...delivered, published, serviceCpu, postgresCpu };
}

/** Nothing of a round is left to be sent to the broker in the next one. */
async function relayed(database: pg.Client): Promise<void> {
  for (;;) {
    const { rowCount } = await database.query('SELECT 1 FROM webhooks.outbox WHERE position IS NULL LIMIT 1');
    if (rowCount === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function report(saturated: Record<Target['name'], Measured[]>, paced: Record<Target['name'], Measured[]>): void {
  const of = (rounds: Measured[], field: keyof Measured) => median(rounds.map((round) => round[field]));
  const [ours, reference] = [of(saturated.ours, 'perSecond'), of(saturated.reference, 'perSecond')];
  const ratio = ours / reference;
  const p99AtPace = of(paced.ours, 'p99Ms');
  const failed = [...saturated.ours, ...paced.ours].reduce((sum, round) => sum + round.failed, 0);
  console.log(
    `Whatever else the machine does: a delivery takes ${of(saturated.ours, 'serviceCpu').toFixed(0)} µs of CPU in the service and ${of(saturated.ours, 'postgresCpu').toFixed(0)} µs in PostgreSQL, beside ${of(saturated.reference, 'serviceCpu').toFixed(0)} and ${of(saturated.reference, 'postgresCpu').toFixed(0)}.`,
  );
  console.log(
    `${ours.toFixed(0)} durable events/s beside ${reference.toFixed(0)}/s of a bare route, ratio ${ratio.toFixed(2)} (limit ${MIN_RATIO}). At ${PACE}/s: p99 ${p99AtPace.toFixed(1)} ms (limit ${MAX_P99_MS}). Failed: ${failed}.`,
  );
  if (!(ratio >= MIN_RATIO) || !(p99AtPace <= MAX_P99_MS) || failed > 0) process.exitCode = 1;
  console.log(
    JSON.stringify({
      bench: 'ingest',
      ...{ ours, reference, ratio },
      p50_ms: of(saturated.ours, 'p50Ms'),
      p99_ms: of(saturated.ours, 'p99Ms'),
      p99_ms_at_1000: p99AtPace,
      span_bytes: webhooks.spans.bytes,
    }),
  );
}
