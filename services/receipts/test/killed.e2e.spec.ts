import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Database } from '@tidegate/database/database';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { checksumOfReceipts } from '../src/receipt/receipt.rebuild.js';
import type { Tables } from '../src/tables.js';
import { berlin, payment, succeeded } from './payments.js';
import { type ProductAroundReceipts, productAroundReceipts } from './product-around-receipts.js';
import { connect } from './receipts-database.js';
import { seededRandom } from './seeded-random.js';

const MAIN = fileURLToPath(new URL('../bundle/main.js', import.meta.url));
const REBUILD = fileURLToPath(new URL('../dist/rebuild.main.js', import.meta.url));
const DEADLY = [
  'receipts.receipts-payments.handle.before_commit',
  'receipts.receipts-payments.handle.after_commit',
  'receipts.render.compile.before_call',
  'receipts.render.compile.after_call',
  'receipts.render.store.before_commit',
  'receipts.render.store.after_commit',
  'receipts.render.fail.before_commit',
  'receipts.render.fail.after_commit',
];

const seed = Number(process.env['SEED'] ?? 20261231);
const random = seededRandom(seed);
/** Of the issuers' clock: two minutes before the year ends in Berlin, where it is an hour later than in UTC. */
const BEGINNING = Date.parse('2026-12-31T22:58:00.000Z');
const begunAt = Date.now();
let skipped = 0;

let clock: Server;
let product: ProductAroundReceipts;
let opened: Database<Tables>;
const children: ChildProcess[] = [];
beforeAll(async () => {
  clock = createServer((_, response) => response.end(JSON.stringify({ offset_seconds: (BEGINNING - begunAt + skipped) / 1000 })));
  await once(clock.listen(0, '127.0.0.1'), 'listening');
  product = await productAroundReceipts();
  opened = connect(product.database);
  product.tenants.set('default', berlin);
}, 30_000);
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await opened.close();
  await product.stop();
  clock.closeAllConnections();
  clock.close();
}, 30_000);

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
}

/** A process of the built service, which dies at a random one of its first visits to the failpoint; what it wrote to stderr and how it ended. */
function start(failpoint?: string): { child: ChildProcess; ended: Promise<Ended> } {
  const environment = {
    ...product.environment(),
    TIDEGATE_CLOCK_URL: `http://127.0.0.1:${(clock.address() as AddressInfo).port}/`,
    ...(failpoint === undefined ? {} : { TIDEGATE_FAILPOINT: `${failpoint}:kill:${1 + Math.floor(random() * 3)}` }),
  };
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.push(child);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return { child, ended: once(child, 'close').then(([code, signal]) => ({ code, signal, stderr }) as Ended) };
}

/** The payment succeeded; every third one is refunded, too. */
function factsOf(n: number): Parameters<ProductAroundReceipts['publish']>[0] {
  const refund = { id: `rfd_${n}`, status: 'succeeded' as const, amount: 100, reason: null, stripe_refund: null };
  return [
    { fact: 'succeeded', envelope: succeeded(payment(n)) },
    ...(n % 3 === 0 ? [{ fact: 'refund_updated' as const, envelope: succeeded(payment(n, { refunds: [refund] })) }] : []),
  ];
}

describe(`Given issuers that are killed at every failpoint between the event and the stored PDF while the year ends where the tenant is (seed ${seed})`, () => {
  it('ends with one number and one document per payment and refund, without a gap in either year', async () => {
    product.paymentsAway = true;
    const doomed = DEADLY.map((failpoint) => ({ failpoint, ...start(failpoint) }));
    const alive = new Set(DEADLY);
    const deaths = Promise.all(
      doomed.map(async ({ failpoint, ended }) => {
        const end = await ended;
        alive.delete(failpoint);
        return { failpoint, ...end };
      }),
    );
    let published = 0;
    while (alive.size > 0) {
      // Payments is away until those that die on a failed document have died.
      product.paymentsAway = [...alive].some((name) => name.startsWith('receipts.render.fail'));
      await product.publish(Array.from({ length: 4 }, () => factsOf(published++)).flat());
      if (alive.size <= DEADLY.length / 2) skipped = 5 * 60_000;
      await Promise.race([deaths, sql`SELECT pg_sleep(0.5)`.execute(opened.db)]);
    }
    for (const { failpoint, signal, stderr } of await deaths) {
      expect({ failpoint, signal }).toEqual({ failpoint, signal: 'SIGKILL' });
      expect(stderr).toContain(`"name":"${failpoint}"`);
    }

    // The last ones are of the new year in any case.
    await product.publish(Array.from({ length: 4 }, () => factsOf(published++)).flat());
    const survivor = start();
    await eventually(
      async () => {
        const { rows } = await sql<{ series: string; count: number; rendered: number; documents: number; highest: number; last: number }>`
          SELECT r.series || ' ' || r.year AS series, count(*), count(*) FILTER (WHERE status = 'rendered') AS rendered, count(d.receipt_id) AS documents,
            max(sequence) AS highest, (SELECT last FROM counters c WHERE c.series = r.series AND c.year = r.year) AS last
          FROM receipts r LEFT JOIN documents d USING (receipt_id) GROUP BY r.series, r.year ORDER BY 1`.execute(opened.db);
        expect(rows.map(({ series }) => series)).toEqual(['CN 2026', 'CN 2027', 'R 2026', 'R 2027']);
        for (const { series, count, ...same } of rows)
          expect({ series, ...same }).toEqual({ series, rendered: count, documents: count, highest: count, last: count });
        expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(published + Math.ceil(published / 3));
      },
      { timeoutMs: 90_000 },
    );
    survivor.child.kill('SIGTERM');
    expect(await survivor.ended).toEqual({ code: 0, signal: null, stderr: '' });
  }, 180_000);

  it('comes back with the same rows from the rebuild command', async () => {
    const checksum = await checksumOfReceipts(opened.db);
    await opened.db.deleteFrom('receipts').execute();
    const { stdout } = await promisify(execFile)(process.execPath, [REBUILD], {
      env: { PATH: process.env['PATH'], ...product.environment() },
    });
    expect(JSON.parse(stdout)).toMatchObject({ rebuilt: 'receipts', checksum });
  }, 30_000);
});
