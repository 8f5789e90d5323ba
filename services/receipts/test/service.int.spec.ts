import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { noPaymentDetails } from '@tidegate/contracts/rpc/payment-details';
import { deadLetterSubject, type RouteRequest, RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type Database } from '@tidegate/database/database';
import { connectBroker } from '@tidegate/messaging/connection';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { receiptId } from '../src/receipt/receipt-id.js';
import { checksumOfReceipts, replayAndRebuild } from '../src/receipt/receipt.rebuild.js';
import type { Tables } from '../src/tables.js';
import { berlin, payment, succeeded, tokyo } from './payments.js';
import { readPdf } from './pdf-text.js';
import { type ProductAroundReceipts, productAroundReceipts } from './product-around-receipts.js';
import { connect, silent } from './receipts-database.js';

let product: ProductAroundReceipts;
let opened: Database<Tables>;
beforeAll(async () => {
  product = await productAroundReceipts();
  opened = connect(product.database);
  product.tenants.set('default', berlin).set('other', tokyo);
}, 30_000);
afterAll(async () => {
  await opened.close();
  await product.stop();
}, 30_000);

const success = (n: number, tenant = 'default') => ({ fact: 'succeeded' as const, envelope: succeeded(payment(n), tenant) });
const rendered = async (count: number) =>
  eventually(
    async () =>
      expect(
        await opened.db
          .selectFrom('receipts')
          .where('status', '=', 'rendered')
          .select((s) => s.fn.countAll<number>().as('n'))
          .executeTakeFirst(),
      ).toEqual({ n: count }),
    { timeoutMs: 20_000 },
  );
const counted = async () => {
  const { rows } = await sql<{ receipts: number; max: number; last: number; issued: number }>`
    SELECT count(*) AS receipts, max(sequence) AS max, (SELECT last FROM counters WHERE tenant = 'default') AS last,
      (SELECT count(*) FROM events WHERE type = 'ReceiptIssued' AND data ->> 'tenant' = 'default') AS issued
    FROM receipts WHERE tenant = 'default'`.execute(opened.db);
  return rows[0];
};
async function ask(subject: RpcSubject, id: string, tenant = 'default'): Promise<HttpReply> {
  const request: RouteRequest = {
    tenant, actor: 'key', request_id: 'req_1', correlation_id: 'cor_1', route: 'GET /v1', params: { id }, query: {}, idempotency_key: null, respond_async: false, livemode: false, body: null,
  }; // prettier-ignore
  return product.gateway.request<HttpReply>(subject, request, { timeoutMs: 10_000 });
}

describe('Given receipts in four processes at work on the events of payments', () => {
  it('issues and renders one receipt per succeeded payment, with five copies of each fact among others', async () => {
    await Promise.all(Array.from({ length: 4 }, () => product.startReceipts()));
    const facts = Array.from({ length: 20 }, (_, n) => [
      { fact: 'created' as const, envelope: succeeded(payment(n)) },
      ...Array.from({ length: 5 }, () => success(n)),
    ]);
    product.details.set(payment(3).payment_id, {
      ...noPaymentDetails,
      description: 'Order 3',
      receipt_email: 'ada@example.com',
      locale: 'en-GB',
      customer: 'cus_ada',
      line_items: [],
    });
    await Promise.all(facts.map((ofOne) => product.publish(ofOne)));
    await rendered(20);
    await eventually(async () =>
      expect((await sql<{ n: number }>`SELECT count(*) AS n FROM inbox WHERE state <> 'done'`.execute(opened.db)).rows[0]?.n).toBe(0),
    );
    expect(await counted()).toEqual({ receipts: 20, max: 20, last: 20, issued: 20 });
  }, 40_000);

  it('publishes each as issued and rendered, once and in this order', async () => {
    await eventually(async () => {
      const { rows } = await sql<{ aggregate: string; subjects: string[] }>`
        SELECT aggregate, array_agg(subject ORDER BY position) AS subjects FROM outbox WHERE position IS NOT NULL GROUP BY aggregate`.execute(
        opened.db,
      );
      expect(rows).toHaveLength(20);
      for (const row of rows) expect(row.subjects).toEqual(['receipts.events.receipt.issued.v1', 'receipts.events.receipt.rendered.v1']);
    });
  });

  it('answers the gateway with the receipt and its PDF, in the words that payments gave', async () => {
    const id = receiptId(payment(3).payment_id, 'receipt');
    const [one, ofPayment, pdf] = [
      await ask(RPC.receiptGet, id),
      await ask(RPC.receiptOfPayment, payment(3).payment_id),
      await ask(RPC.receiptPdf, id),
    ];
    expect(JSON.parse(one.body)).toMatchObject({ id, status: 'rendered' });
    // Each link says itself until when it works, to the second.
    const withoutLink = ({ body }: { body: string }) => ({ ...(JSON.parse(body) as object), link: null });
    expect(withoutLink(ofPayment)).toEqual(withoutLink(one));
    const { pages } = await readPdf(Buffer.from(pdf.body, 'base64'));
    for (const text of ['US$10.03', 'Order 3', 'ada@example.com', (JSON.parse(one.body) as { number: string }).number, 'Hafenrösterei'])
      expect(pages[0]).toContain(text);
    expect((await ask(RPC.receiptPdf, id, 'other')).status).toBe(404);
  });

  it('answers the gateway for what it set aside', async () => {
    const list = await ask(deadLetterSubject('receipts', 'list'), '');
    expect([list.status, JSON.parse(list.body)]).toEqual([200, { data: [], has_more: false }]);
    expect((await ask(deadLetterSubject('receipts', 'get'), 'dl_receipts-documents_rcp_0123456789abcdef')).status).toBe(404);
  });

  it('numbers another tenant on its own', async () => {
    await product.publish([success(500, 'other')]);
    await rendered(21);
    const reply = await ask(RPC.receiptOfPayment, payment(500).payment_id, 'other');
    expect((JSON.parse(reply.body) as { number: string }).number).toMatch(/-000001$/);
  });

  it('waits with a payment of a tenant nobody knows yet, and with no other', async () => {
    await product.publish([success(600, 'newcomer'), success(601)]);
    await rendered(22);
    product.tenants.set('newcomer', { ...berlin, id: 'newcomer' });
    await rendered(23);
  }, 20_000);
});

const ada = () =>
  opened.db.selectFrom('payers').select('details').where('payment_id', '=', payment(3).payment_id).executeTakeFirstOrThrow();

describe('Given a customer who was erased at payments', () => {
  it('erases its copy of what it knew', async () => {
    expect((await ada()).details).toMatchObject({ receipt_email: 'ada@example.com' });
    await product.erase('cus_ada');
    await eventually(async () => expect(JSON.stringify(await ada())).not.toMatch(/ada@|Order 3|en-GB/));
  });
});

describe('Given the projection dropped while receipts go on being issued', () => {
  it('replays payments in a new generation, keeps every number and misses none', async () => {
    const numbers = async () =>
      new Map(
        (await opened.db.selectFrom('receipts').select(['payment_id', 'number']).execute()).map((row) => [row.payment_id, row.number]),
      );
    const before = await numbers();
    const checksum = await checksumOfReceipts(opened.db);
    const broker = await connectBroker({ servers: product.nats.url('receipts'), name: 'receipts-rebuild', logger: silent });
    const rebuildNow = () => replayAndRebuild({ db: opened.db, broker, logger: silent });

    // As from a backup that still knew her.
    await sql`UPDATE payers SET details = details || '{"receipt_email": "ada@example.com"}' WHERE payment_id = ${payment(3).payment_id}`.execute(
      opened.db,
    );
    await opened.db.deleteFrom('receipts').execute();
    expect(await rebuildNow()).toMatchObject({ events: 2 * before.size });
    expect(await checksumOfReceipts(opened.db)).toBe(checksum);
    expect((await ada()).details.receipt_email).toBeNull();

    await product.publish(Array.from({ length: 20 }, (_, n) => success(700 + n)));
    await rebuildNow();
    await rendered(before.size + 20);
    await broker.drain();
    const after = await numbers();
    for (const [paymentId, number] of before) expect(after.get(paymentId)).toBe(number);
    const { receipts, max, last, issued } = (await counted()) ?? {};
    expect([max, last, issued]).toEqual([receipts, receipts, receipts]);
  }, 40_000);
});
