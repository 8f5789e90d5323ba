import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Db, openDatabase } from '@tidegate/database/database';
import { noFailpoints } from '@tidegate/database/failpoints';
import { eventually } from '@tidegate/test-harness/eventually';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { sql } from 'kysely';
import { type Taken } from '../src/inbox-in-order.js';
import { type Arrival } from '../src/inbox-store.js';
import { readWatermark } from '../src/inbox-watermark.js';
import { type Handler, type Incoming, TransientFailure } from '../src/incoming.js';
import { LaneWorkers } from '../src/lane-workers.js';
import { PageRunner } from '../src/page-runner.js';
import { messagingMigration } from './support/migration.js';
import { paged } from './support/paged.js';
import { messageOf, quiet, upTo } from './support/world.js';

jest.setTimeout(120_000);

const KEY = { consumer: 'reconciliation-payments', generation: 1 };
const MESSAGES = 3_000;
const AGGREGATES = 300;
const REPLICAS = 2;
const numberOf = ({ envelope }: Incoming): number => (envelope.data as { n: number }).n;
const below = (n: number): number => Math.floor(Math.random() * n);

let database: TestDatabase;
let admin: Db;
const closing: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  database = await postgresForTests({ migrate: messagingMigration });
  admin = open('admin', 2);
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
  await database.drop();
});

function open(applicationName: string, poolSize: number): Db {
  const { db, close } = openDatabase<Record<string, never>>({ url: database.urlFor('reconciliation'), poolSize, applicationName }, quiet);
  closing.push(close);
  return db;
}

/** Fails once at some messages, whichever way they come. */
function failingNowAndThen(): Handler {
  const failed = new Set<number>();
  const check = (messages: readonly Incoming[]) => {
    const first = messages.map(numberOf).find((n) => n % 211 === 0 && !failed.has(n));
    if (first === undefined) return;
    failed.add(first);
    throw new TransientFailure(`not yet: ${first}`);
  };
  return {
    ...paged,
    handle: (tx, message) => paged.handleAll(tx, [message]).then(() => check([message])),
    handleAll: (tx, messages) => paged.handleAll(tx, messages).then(() => check(messages)),
  };
}

function replica(number: number, handler: Handler): { pages: PageRunner; workers: LaneWorkers } {
  const options = {
    ...{ db: open(`storm-${number}`, 4), failpoints: noFailpoints, logger: quiet, clock: { now: () => new Date() }, live: true, handler },
    ...{ service: 'reconciliation', durable: KEY.consumer, stream: 'PAYMENTS_EVENTS' as const, holder: `storm-${number}`, concurrency: 4 },
    ...{ laneLeaseMs: 400, pollMs: 20, suspectPauseMs: 5, firstRetryMs: 10, longestRetryMs: 100, giveUpAfterMs: 3_600_000 },
  };
  return { pages: new PageRunner(options, KEY), workers: new LaneWorkers(options, KEY) };
}

/** What a broker might bring: a part from somewhere, mostly from where it goes on, now and then with holes, twice or out of order. */
function delivery(all: readonly Arrival[], watermark: number): Arrival[] {
  const from = Math.max(0, watermark + (below(6) === 0 ? below(60) - 30 : 0));
  const part = all.slice(from, from + 16 + below(60));
  if (below(12) === 0) return part.filter(() => below(10) > 0);
  if (below(6) === 0) return [...part, ...part.slice(0, below(5))].sort(() => Math.random() - 0.5);
  return part;
}

describe('Given replicas that have pages and lanes at once, whose connections break, and messages that come anyhow', () => {
  it('each message takes effect once, and in the order of its aggregate', async () => {
    const all = upTo(MESSAGES).map((n): Arrival => {
      const { subject, envelope, aggregate } = messageOf('payments', `pay_${(n * 7 + below(3)) % AGGREGATES}`, n);
      return { epoch: 1, position: n, messageId: envelope.id, subject, aggregate, bytes: Buffer.from(JSON.stringify(envelope)) };
    });
    await sql`INSERT INTO inbox_generations (consumer, live) VALUES (${KEY.consumer}, 1)`.execute(admin);
    await sql`INSERT INTO inbox_watermarks (consumer, generation, stream) VALUES (${KEY.consumer}, 1, 'PAYMENTS_EVENTS')`.execute(admin);
    const handler = failingNowAndThen();
    let ran = 0;
    const replicas = upTo(REPLICAS).map((number) => replica(number, handler));
    const working = replicas.map(({ workers }) => workers.run());
    const position = () => readWatermark(admin, KEY).then((watermark) => watermark.position);

    const breaking = setInterval(
      () =>
        void sql`
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'storm-%' ORDER BY random() LIMIT 1`
          .execute(admin)
          .catch(() => undefined),
      250,
    );
    await Promise.all(
      replicas.map(async ({ pages, workers }) => {
        while ((await position()) < MESSAGES) {
          const stored: Partial<Taken> | null = await pages.store(delivery(all, await position())).catch(() => null);
          ran += stored?.ran?.length ?? 0;
          workers.signal();
        }
      }),
    );
    clearInterval(breaking);

    await eventually(
      async () => {
        const { rows } = await sql<{ n: number }>`SELECT count(*) AS n FROM inbox WHERE state <> 'done'`.execute(admin);
        expect(rows[0]!.n).toBe(0);
      },
      { timeoutMs: 60_000 },
    );
    for (const { workers } of replicas) await workers.stop();
    await Promise.all(working);

    const { rows } = await sql<{ aggregate: string; numbers: number[] }>`
      SELECT aggregate, array_agg(n ORDER BY id) AS numbers FROM effects GROUP BY aggregate`.execute(admin);
    const expected: Record<string, number[]> = {};
    for (const { aggregate, position: n } of all) (expected[aggregate] ??= []).push(n);
    expect(Object.fromEntries(rows.map((row) => [row.aggregate, row.numbers]))).toEqual(expected);
    expect((await sql<{ n: number }>`SELECT count(*) AS n FROM inbox_lanes`.execute(admin)).rows[0]!.n).toBe(0);
    expect(ran).toBeGreaterThan(0);
  });
});
