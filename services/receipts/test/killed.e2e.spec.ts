import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
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

let product: ProductAroundReceipts;
let opened: Database<Tables>;
const children: ChildProcess[] = [];
beforeAll(async () => {
  product = await productAroundReceipts();
  opened = connect(product.database);
  product.tenants.set('default', berlin);
}, 30_000);
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await opened.close();
  await product.stop();
}, 30_000);

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
}

/** A process of the built service; what it wrote to stderr and how it ended. */
function start(failpoint?: string): { child: ChildProcess; ended: Promise<Ended> } {
  const environment = { ...product.environment(), ...(failpoint === undefined ? {} : { TIDEGATE_FAILPOINT: `${failpoint}:kill` }) };
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.push(child);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return { child, ended: once(child, 'close').then(([code, signal]) => ({ code, signal, stderr }) as Ended) };
}

describe('Given issuers that are killed at every failpoint between the event and the stored PDF', () => {
  it('ends with one number and one document per payment, without a gap', async () => {
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
      await product.publish(Array.from({ length: 4 }, () => ({ fact: 'succeeded' as const, envelope: succeeded(payment(published++)) })));
      await Promise.race([deaths, sql`SELECT pg_sleep(0.5)`.execute(opened.db)]);
    }
    for (const { failpoint, signal, stderr } of await deaths) {
      expect({ failpoint, signal }).toEqual({ failpoint, signal: 'SIGKILL' });
      expect(stderr).toContain(`"name":"${failpoint}"`);
    }

    const survivor = start();
    await eventually(
      async () => {
        const { rows } = await sql`
        SELECT count(*) AS receipts, count(*) FILTER (WHERE status = 'rendered') AS rendered, max(sequence) AS highest, (SELECT last FROM counters) AS last,
          (SELECT count(*) FROM documents) AS documents FROM receipts`.execute(opened.db);
        expect(rows[0]).toEqual({ receipts: published, rendered: published, highest: published, last: published, documents: published });
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
