import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Database } from '@tidegate/database/database';
import { noFailpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import type { TestDatabase } from '@tidegate/test-harness/postgres';
import pg from 'pg';
import { DocumentLoop } from '../src/document/document.loop.js';
import { documentOf } from '../src/document/document-on-read.js';
import { issueForPayment } from '../src/receipt/receipt.flow.js';
import { checksumOfReceipts, rebuildReceipts } from '../src/receipt/receipt.rebuild.js';
import { TypstRenderer } from '../src/rendering/typst-renderer.js';
import type { Tables } from '../src/tables.js';
import { documentPorts } from './document-ports.js';
import { berlin, knowPayers, payment, succeeded, tokyo } from './payments.js';
import { connect, receiptsDatabase } from './receipts-database.js';

const clock = { now: () => new Date('2026-11-21T06:00:01.000Z') };
const renderer = new TypstRenderer();
let database: TestDatabase;
let opened: Database<Tables>;
let ports: ReturnType<typeof documentPorts>;

beforeAll(async () => {
  database = await receiptsDatabase();
  opened = connect(database);
  ports = documentPorts(opened, { clock, renderer });
});
afterAll(async () => {
  await renderer.close();
  await opened.close();
  await database.drop();
});

async function issue(n: number, template = 'receipt') {
  const snapshot = payment(n);
  const tenant = n % 3 === 0 ? tokyo : berlin;
  await knowPayers(opened.db, [snapshot]);
  const fact = {
    payment: snapshot,
    tenant,
    cause: succeeded(snapshot, tenant.id),
    now: clock.now(),
    numberFormat: '{series}-{year}-{sequence:6}',
    template,
  };
  await inTransaction({ db: opened.db, failpoints: noFailpoints }, 'receipts.receipts-payments.handle', (tx) => issueForPayment(tx, fact));
}

async function dropDerivedTables() {
  const admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  await admin.query('DROP TABLE receipts.receipts, receipts.documents, receipts.renderings, receipts.tenants');
  await admin.end();
}

describe('Given receipts issued, rendered, failing and waiting, and every projection dropped', () => {
  it('rebuilds equal rows with the same numbers, goes on counting, and renders the same bytes again', async () => {
    for (let n = 1; n <= 8; n += 1) await issue(n, n === 5 ? 'nowhere' : 'receipt');
    await new DocumentLoop(ports).runOnce();
    await issue(9);
    const before = await opened.db.selectFrom('receipts').selectAll().orderBy('receipt_id').execute();
    const checksum = await checksumOfReceipts(opened.db);

    await dropDerivedTables();
    expect(await rebuildReceipts(opened.db)).toEqual({ events: 17 });

    expect(await checksumOfReceipts(opened.db)).toBe(checksum);
    expect(new Set(before.map((row) => row.status))).toEqual(new Set(['issued', 'rendered', 'failed']));
    for (const row of before.filter(({ status }) => status === 'rendered')) {
      expect((await documentOf(ports, row)).sha256).toBe(row.sha256);
    }
    await issue(10);
    const latest = await opened.db
      .selectFrom('receipts')
      .select('number')
      .where('payment_id', '=', payment(10).payment_id)
      .executeTakeFirst();
    expect(latest).toEqual({ number: 'R-2026-000007' });
  });

  it('rebuilds while receipts are issued, and misses none', async () => {
    const issuing = Promise.all(Array.from({ length: 20 }, (_, n) => issue(100 + n)));
    await rebuildReceipts(opened.db);
    await issuing;
    const checksum = await checksumOfReceipts(opened.db);
    await rebuildReceipts(opened.db);
    expect(await checksumOfReceipts(opened.db)).toBe(checksum);
    expect(
      await opened.db
        .selectFrom('receipts')
        .select((s) => s.fn.countAll<number>().as('n'))
        .executeTakeFirst(),
    ).toEqual({ n: 30 });
  });
});
