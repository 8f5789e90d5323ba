import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { PaymentSnapshot, RefundSnapshot } from '@tidegate/contracts/payment';
import { exampleDispute } from '@tidegate/contracts/payment';
import { type Database } from '@tidegate/database/database';
import type { TestDatabase } from '@tidegate/test-harness/postgres';
import pg from 'pg';
import { documentOf } from '../src/document/document-on-read.js';
import { DocumentLoop } from '../src/document/document.loop.js';
import { issueWhatIsDue } from '../src/receipt/receipt.flow.js';
import { checksumOfReceipts, rebuildReceipts } from '../src/receipt/receipt.rebuild.js';
import { keepStanding } from '../src/receipt/standing.js';
import { TypstRenderer } from '../src/rendering/typst-renderer.js';
import type { Tables } from '../src/tables.js';
import { documentPorts } from './document-ports.js';
import { berlin, knowPayers, payment, succeeded, tokyo } from './payments.js';
import { connect, receiptsDatabase } from './receipts-database.js';
import { seededRandom } from './seeded-random.js';

jest.setTimeout(60_000);

const renderer = new TypstRenderer();
let time = new Date('2026-12-31T22:00:00.000Z');
const clock = { now: () => time };
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

interface Told {
  snapshot: PaymentSnapshot;
  version: number;
}
const PAYMENTS = 12;
const refund = (n: number, status: RefundSnapshot['status']): RefundSnapshot => ({
  id: `rfd_${n}`,
  status,
  amount: 100 + n,
  reason: null,
  stripe_refund: null,
});

/** What payments told of one payment, oldest first: each was paid, some were refunded, a few refunds failed after all, some are disputed. */
function toldOf(n: number): Told[] {
  const [fails, disputed] = [n % 6 === 0, n % 4 === 1];
  const refunds = (status: RefundSnapshot['status']) => ({
    refunds: [refund(n, status)],
    amount_refunded: status === 'succeeded' ? 100 + n : 0,
  });
  return [
    { snapshot: payment(n), version: 2 },
    ...(n % 3 === 0 ? [{ snapshot: payment(n, refunds('succeeded')), version: 4 }] : []),
    ...(fails ? [{ snapshot: payment(n, refunds('failed')), version: 6 }] : []),
    ...(disputed ? [{ snapshot: payment(n, { disputes: [{ ...exampleDispute, status: 'under_review' }] }), version: 5 }] : []),
  ];
}

/** As the consumer takes a message; how many receipts and notes it issued or voided. */
async function arrives({ snapshot, version }: Told): Promise<number> {
  const tenant = Number(snapshot.payment_id.slice(-2)) % 2 === 0 ? berlin : tokyo;
  return opened.db.transaction().execute(async (tx) => {
    const fact = {
      payment: snapshot,
      tenant,
      cause: succeeded(snapshot, tenant.id),
      now: time,
      numberFormat: '{series}-{year}-{sequence}',
    };
    const events = await issueWhatIsDue(tx, { ...fact, template: 'receipt', publicUrl: 'https://pay.example.com' });
    await keepStanding(tx, snapshot, version);
    return events.length;
  });
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((one) => ({ one, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
}

const receipts = () =>
  opened.db
    .selectFrom('receipts')
    .select(['receipt_id', 'payment_id', 'tenant', 'number', 'sha256', 'voided_at'])
    .orderBy('receipt_id')
    .execute();
const standings = () => opened.db.selectFrom('standings').selectAll().orderBy('payment_id').execute();
const documents = async () =>
  new Map(
    (await opened.db.selectFrom('documents').select(['receipt_id', 'pdf']).execute()).map(({ receipt_id, pdf }) => [receipt_id, pdf]),
  );

async function dropWhatIsDerived(): Promise<void> {
  const admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  await admin.query('DROP TABLE receipts.receipts, receipts.documents, receipts.renderings, receipts.tenants; TRUNCATE receipts.standings');
  await admin.end();
}

describe('Given receipts and notes of two tenants and two years, some voided, and everything derived from events dropped', () => {
  const random = seededRandom(Number(process.env['SEED'] ?? 20270101));

  it('has the same numbers, standings and bytes when it is rebuilt and the events of payments arrive in another order', async () => {
    await knowPayers(
      opened.db,
      Array.from({ length: PAYMENTS }, (_, n) => payment(n)),
    );
    const told = Array.from({ length: PAYMENTS }, (_, n) => toldOf(n)).flat();
    for (const [at, one] of told.entries()) {
      // The year ends in Berlin in the middle of it.
      if (at === Math.floor(told.length / 2)) time = new Date('2026-12-31T23:30:00.000Z');
      await arrives(one);
    }
    while ((await new DocumentLoop(ports).runOnce()) > 0);
    const before = { checksum: await checksumOfReceipts(opened.db), receipts: await receipts(), standings: await standings() };
    const pdfs = await documents();
    expect(pdfs.size).toBe(before.receipts.length);
    expect(new Set(before.receipts.map(({ number }) => number.replace(/-\d+$/, '')))).toEqual(
      new Set(['R-2026', 'R-2027', 'CN-2026', 'CN-2027']),
    );
    expect(before.receipts.some(({ voided_at }) => voided_at !== null)).toBe(true);

    await dropWhatIsDerived();
    time = new Date('2027-02-01T12:00:00.000Z');
    await rebuildReceipts(opened.db);
    // Each twice and in disorder, across payments and within each.
    let issued = 0;
    for (const one of shuffled([...told, ...told], random)) issued += await arrives(one);

    expect(issued).toBe(0);
    expect(await receipts()).toEqual(before.receipts);
    expect(await checksumOfReceipts(opened.db)).toBe(before.checksum);
    expect(await standings()).toEqual(before.standings);
    for (const row of shuffled(before.receipts, random)) await documentOf(ports, row);
    expect(await documents()).toEqual(pdfs);
    expect(await checksumOfReceipts(opened.db)).toBe(before.checksum);
  });
});
