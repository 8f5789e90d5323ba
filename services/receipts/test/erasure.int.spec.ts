import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { customerErased } from '@tidegate/contracts/events/customer';
import type { ReceiptChecks } from '@tidegate/contracts/ops/receipts';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { noPaymentDetails, type PaymentDetails } from '@tidegate/contracts/rpc/payment-details';
import { type Database } from '@tidegate/database/database';
import { noFailpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import { eventually } from '@tidegate/test-harness/eventually';
import type { TestDatabase } from '@tidegate/test-harness/postgres';
import { sql } from 'kysely';
import { issued as issuedReceipt } from '../src/document/document.flow.js';
import { DocumentLoop } from '../src/document/document.loop.js';
import { documentOf } from '../src/document/document-on-read.js';
import { erasePayer } from '../src/payer/payer-erasure.js';
import { PayerDetails } from '../src/payer/payer-details.js';
import { VerifyRpc } from '../src/receipt/verify.rpc.js';
import { issueForPayment } from '../src/receipt/receipt.flow.js';
import { receiptId } from '../src/receipt/receipt-id.js';
import { TypstRenderer } from '../src/rendering/typst-renderer.js';
import type { Tables } from '../src/tables.js';
import { documentPorts } from './document-ports.js';
import { berlin, erased, payment, succeeded } from './payments.js';
import { readPdf } from './pdf-text.js';
import { connect, receiptsDatabase } from './receipts-database.js';

const clock = { now: () => new Date('2026-11-21T06:00:01.000Z') };
const renderer = new TypstRenderer();
let database: TestDatabase;
let opened: Database<Tables>;
beforeAll(async () => {
  database = await receiptsDatabase();
  opened = connect(database);
});
afterAll(async () => {
  await renderer.close();
  await opened.close();
  await database.drop();
});

const items = [{ name: 'Vase', quantity: 1, unit_amount: 1001 }];
const said = {
  ...noPaymentDetails,
  description: 'For Ada',
  receipt_email: 'ada@example.com',
  locale: 'en-GB',
  customer_name: 'Ada Lovelace',
  line_items: items,
};
const blank = { ...noPaymentDetails, line_items: items };
const toldFor = new Map<string, PaymentDetails>();
let beforeAnswer = async () => undefined as unknown;
/** Payments, as far as receipts ask it. */
const ask = {
  request: async (_subject: string, payload: unknown) => {
    const { id } = (payload as { params: { id: string } }).params;
    await beforeAnswer();
    return jsonReply(200, { id, object: 'payment', details: toldFor.get(id) });
  },
};
const ports = () => ({ ...documentPorts(opened, { clock, renderer }), payers: new PayerDetails({ db: opened.db, ask, clock }) });

/** A receipt of a payment that this customer made. */
async function issued(n: number, customer: string) {
  const snapshot = payment(n);
  toldFor.set(snapshot.payment_id, { ...said, customer });
  const fact = {
    payment: snapshot,
    tenant: berlin,
    cause: succeeded(snapshot),
    now: clock.now(),
    numberFormat: '{sequence}',
    template: 'receipt',
  };
  await inTransaction({ db: opened.db, failpoints: noFailpoints }, 'receipts.receipts-payments.handle', (tx) => issueForPayment(tx, fact));
  const id = receiptId(snapshot.payment_id, 'receipt');
  return opened.db.selectFrom('receipts').selectAll().where('receipt_id', '=', id).executeTakeFirstOrThrow();
}
const render = () => new DocumentLoop(ports()).runOnce();
const erase = (customer: string) => opened.db.transaction().execute((tx) => erasePayer(tx, incoming(customer)));
const incoming = (customer: string) =>
  ({ subject: customerErased.subject, envelope: erased(customer) }) as Parameters<typeof erasePayer>[1];
const kept = async (n: number) =>
  (await opened.db.selectFrom('payers').select('details').where('payment_id', '=', payment(n).payment_id).executeTakeFirst())?.details;
const documented = async (id: string) =>
  (await opened.db.selectFrom('documents').select('sha256').where('receipt_id', '=', id).executeTakeFirst())?.sha256;
const wordsOf = async (pdf: Uint8Array) => (await readPdf(pdf)).pages.join('\n');

describe('When payments answers differently to two who ask at once', () => {
  it('has both print what is kept, so that the same bytes can be made again', async () => {
    const receipt = await issued(50, 'cus_renamed');
    const { facts } = await issuedReceipt(opened.db, receipt.payment_id, receipt.receipt_id);
    const asking: (() => void)[] = [];
    beforeAnswer = () => new Promise<void>((answer) => asking.push(answer));
    const told = [ports().payers.of(facts, 'cor'), ports().payers.of(facts, 'cor')];
    await eventually(async () => expect(asking).toHaveLength(2));
    beforeAnswer = async () => undefined;
    asking[0]?.();
    const first = await Promise.race(told);
    toldFor.set(receipt.payment_id, { ...said, customer: 'cus_renamed', customer_name: 'Augusta King' });
    asking[1]?.();
    expect(await Promise.all(told)).toEqual([first, first]);
    expect(await kept(50)).toEqual(first);
  });
});

describe('When a customer is erased', () => {
  it("forgets what is kept about the payer of each of that customer's payments, and of no other; what was bought stays", async () => {
    for (const [n, customer] of [
      [1, 'cus_gone'],
      [2, 'cus_gone'],
      [3, 'cus_other'],
    ] as const)
      await issued(n, customer);
    await render();
    expect(await kept(1)).toEqual({ ...said, customer: 'cus_gone' });
    await erase('cus_gone');
    await erase('cus_gone');
    expect([await kept(1), await kept(2)]).toEqual(Array(2).fill({ ...blank, customer: 'cus_gone' }));
    expect(await kept(3)).toEqual({ ...said, customer: 'cus_other' });
  });

  it('keeps the document that the payer has as it was issued, and makes a lost one again without the person', async () => {
    const receipt = await issued(10, 'cus_documented');
    await render();
    const before = await documented(receipt.receipt_id);
    await erase('cus_documented');
    const stored = await documentOf(ports(), receipt);
    expect(stored.sha256).toBe(before);
    expect(await wordsOf(stored.pdf)).toContain('ada@example.com');

    await opened.db.deleteFrom('documents').where('receipt_id', '=', receipt.receipt_id).execute();
    const words = await wordsOf((await documentOf(ports(), receipt)).pdf);
    expect(words).toContain(receipt.number);
    expect(words).toContain('Vase');
    expect(words).not.toMatch(/ada/i);
  });

  it('is told of when documents are verified, which differ only then', async () => {
    const receipt = await issued(15, 'cus_verified');
    await render();
    const verify = async () => {
      const query = { payment: receipt.payment_id };
      const request = { tenant: '', actor: 'op', request_id: 'r', correlation_id: 'c', route: 'x', params: {}, query, idempotency_key: null, respond_async: false, livemode: false, body: null }; // prettier-ignore
      return (JSON.parse((await new VerifyRpc(ports()).verify(request)).body) as ReceiptChecks).data.map(({ result, stored }) => [
        result,
        stored,
      ]);
    };
    expect(await verify()).toEqual([['same', 'sound']]);
    await erase('cus_verified');
    expect(await verify()).toEqual([['erased', 'sound']]);
  });

  it('makes a document that was still missing without the person', async () => {
    const receipt = await issued(20, 'cus_waiting');
    await erase('cus_waiting');
    await render();
    expect(await kept(20)).toEqual({ ...blank, customer: 'cus_waiting' });
    expect(await wordsOf((await documentOf(ports(), receipt)).pdf)).not.toMatch(/ada/i);
  });

  it('keeps nothing of details that were on their way meanwhile', async () => {
    await issued(30, 'cus_meanwhile');
    beforeAnswer = async () => erase('cus_meanwhile');
    await render();
    beforeAnswer = async () => undefined;
    expect(await kept(30)).toEqual({ ...blank, customer: 'cus_meanwhile' });
  });

  it('keeps nothing of details that arrive in the very moment', async () => {
    await issued(40, 'cus_moment');
    let rendering: Promise<number> | undefined;
    await opened.db.transaction().execute(async (tx) => {
      await erasePayer(tx, incoming('cus_moment'));
      rendering = render();
      await eventually(async () => expect(await waitingForALock()).toBe(1));
    });
    await rendering;
    expect(await kept(40)).toEqual({ ...blank, customer: 'cus_moment' });
  });
});

/** How many sessions wait for an erasure to be committed. */
async function waitingForALock(): Promise<number> {
  const { rows } = await sql<{ n: number }>`SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`.execute(opened.db);
  return rows[0]?.n ?? 0;
}
