import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { paymentSubject } from '@tidegate/contracts/events/payment';
import type { DisputeSnapshot, PaymentSnapshot, RefundSnapshot } from '@tidegate/contracts/payment';
import { exampleDispute } from '@tidegate/contracts/payment';
import type { RouteRequest } from '@tidegate/contracts/rpc/routes';
import { type Database } from '@tidegate/database/database';
import { FailpointError, type Failpoints, noFailpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import type { TestDatabase } from '@tidegate/test-harness/postgres';
import { sql } from 'kysely';
import { DocumentLoop } from '../src/document/document.loop.js';
import { ChangeRpc } from '../src/receipt/change.rpc.js';
import { issueWhatIsDue } from '../src/receipt/receipt.flow.js';
import { creditNoteId, receiptId } from '../src/receipt/receipt-id.js';
import { receiptsProjection } from '../src/receipt/receipt.projection.js';
import { checksumOfReceipts, rebuildReceipts } from '../src/receipt/receipt.rebuild.js';
import { ReceiptRpc } from '../src/receipt/receipt.rpc.js';
import { findStanding, keepStanding } from '../src/receipt/standing.js';
import { VerifyRpc } from '../src/receipt/verify.rpc.js';
import { TypstRenderer } from '../src/rendering/typst-renderer.js';
import type { Tables } from '../src/tables.js';
import { documentPorts } from './document-ports.js';
import { berlin, knowPayers, payment, succeeded } from './payments.js';
import { readPdf } from './pdf-text.js';
import { connect, receiptsDatabase } from './receipts-database.js';
import { seededRandom } from './seeded-random.js';

const renderer = new TypstRenderer();
let time = new Date('2026-12-30T06:00:01.000Z');
const clock = { now: () => time };
let database: TestDatabase;
let opened: Database<Tables>;
let ports: ReturnType<typeof documentPorts>;

beforeAll(async () => {
  database = await receiptsDatabase();
  opened = connect(database, 8);
  ports = documentPorts(opened, { clock, renderer });
});
afterAll(async () => {
  await renderer.close();
  await opened.close();
  await database.drop();
});

const refund = (id: string, status: RefundSnapshot['status'], amount = 100): RefundSnapshot => ({
  id,
  status,
  amount,
  reason: null,
  stripe_refund: null,
});
const refundedPayment = (n: number, refunds: RefundSnapshot[], disputes: DisputeSnapshot[] = []): PaymentSnapshot =>
  payment(n, { refunds, disputes, amount_refunded: refunds.reduce((sum, one) => sum + (one.status === 'succeeded' ? one.amount : 0), 0) });

/** Payments tells how a payment stands; answers what was recorded. */
async function told(
  snapshot: PaymentSnapshot,
  { version = 2, db = opened, failpoints = noFailpoints }: { version?: number; db?: Database<Tables>; failpoints?: Failpoints } = {},
) {
  return inTransaction({ db: db.db, failpoints }, 'receipts.receipts-payments.handle', async (tx) => {
    const events = await issueWhatIsDue(tx, {
      payment: snapshot,
      tenant: berlin,
      cause: succeeded(snapshot),
      now: time,
      numberFormat: '{series}-{year}-{sequence}',
      template: 'receipt',
      publicUrl: 'https://pay.example.com',
    });
    await keepStanding(tx, snapshot, version);
    return events.map((event) => (event.type === 'ReceiptIssued' ? event.data.number : `void ${event.data.receipt_id}`));
  });
}
const row = (id: string) => opened.db.selectFrom('receipts').selectAll().where('receipt_id', '=', id).executeTakeFirstOrThrow();
const request = (id: string, body: unknown = null): RouteRequest => ({
  tenant: 'default', actor: 'key_1', request_id: 'req_1', correlation_id: 'cor_1', route: 'x', params: { id }, query: {}, idempotency_key: null, respond_async: false, livemode: false, body,
}); // prettier-ignore
async function pageOf(id: string): Promise<string> {
  const reply = await new ReceiptRpc(ports).pdf(request(id));
  expect(reply.status).toBe(200);
  return (await readPdf(Buffer.from(reply.body, 'base64'))).pages[0] ?? '';
}

describe('Given refunds of a payment that has its receipt', () => {
  const ofPayment = payment(1).payment_id;

  it('gives each that succeeded a credit note of its own series, once, and none to others', async () => {
    await knowPayers(opened.db, [payment(1)]);
    expect(await told(payment(1))).toEqual(['R-2026-1']);
    expect(await told(refundedPayment(1, [refund('rfd_a', 'pending'), refund('rfd_b', 'failed'), refund('rfd_c', 'unknown')]))).toEqual([]);
    const later = refundedPayment(1, [refund('rfd_a', 'succeeded', 300), refund('rfd_b', 'failed'), refund('rfd_c', 'succeeded', 50)]);
    expect(await told(later, { version: 4 })).toEqual(['CN-2026-1', 'CN-2026-2']);
    expect(await told(later, { version: 4 })).toEqual([]);
    expect(await row(creditNoteId(ofPayment, 'rfd_a'))).toMatchObject({
      kind: 'credit_note',
      amount: 300,
      refund_id: 'rfd_a',
      refers_to: receiptId(ofPayment),
    });
  });

  it('says on the note which receipt and refund it belongs to', async () => {
    await new DocumentLoop(ports).runOnce();
    const page = await pageOf(creditNoteId(ofPayment, 'rfd_a'));
    for (const words of ['Credit note', 'CN-2026-1', 'R-2026-1', 'rfd_a', '$3.00']) expect(page).toContain(words);
  });

  it('leaves the receipt as the payer got it, and shows refunds and a dispute once it is made anew', async () => {
    const id = receiptId(ofPayment);
    const disputed = refundedPayment(
      1,
      [refund('rfd_a', 'succeeded', 300), refund('rfd_c', 'succeeded', 50)],
      [{ ...exampleDispute, status: 'under_review' }],
    );
    expect(await told(disputed, { version: 5 })).toEqual([]);
    const before = await row(id);
    const reply = await new ChangeRpc({ ...ports, mailDue: () => undefined }).regenerate(request(id, { reason: 'customer asks' }));
    expect([reply.status, JSON.parse(reply.body).id]).toEqual([200, id]);
    const after = await row(id);
    expect(after.sha256).not.toBe(before.sha256);
    expect([after.template, after.number]).toEqual([before.template, before.number]);
    const page = await pageOf(id);
    for (const words of ['Refunded', '\u2212$3.50', 'The payment is disputed']) expect(page).toContain(words);
    const { rows } = await sql`SELECT actor, action, reason, target FROM operator_actions`.execute(opened.db);
    expect(rows).toEqual([{ actor: 'key_1', action: 'receipt.regenerate', reason: 'customer asks', target: id }]);
  });

  it('makes a lost document again as it showed the payment, whatever has happened since', async () => {
    const id = receiptId(ofPayment);
    const { sha256 } = await row(id);
    await keepStanding(opened.db, refundedPayment(1, [refund('rfd_a', 'succeeded', 300)], [{ ...exampleDispute, status: 'lost' }]), 6);
    await opened.db.deleteFrom('documents').execute();
    await pageOf(id);
    expect((await row(id)).sha256).toBe(sha256);
  });

  it('voids the note of a refund that failed after all: the number stays, the document says so, no number is given again', async () => {
    const id = creditNoteId(ofPayment, 'rfd_a');
    time = new Date('2026-12-30T07:00:00.000Z');
    const failed = refundedPayment(1, [refund('rfd_a', 'failed', 300), refund('rfd_c', 'succeeded', 50)]);
    expect(await told(failed, { version: 7 })).toEqual([`void ${id}`]);
    expect(await told(failed, { version: 7 })).toEqual([]);
    expect(await row(id)).toMatchObject({ number: 'CN-2026-1', status: 'issued', sha256: null, voided_at: time });
    expect(await new DocumentLoop(ports).runOnce()).toBe(1);
    expect(await pageOf(id)).toContain('Void since December 30, 2026');
    expect(JSON.parse((await new ReceiptRpc(ports).get(request(id))).body)).toMatchObject({
      voided_at: time.toISOString(),
      status: 'rendered',
    });
    expect(await told(refundedPayment(2, [refund('rfd_d', 'succeeded')]))).toEqual(['R-2026-2', 'CN-2026-3']);
    const { rows } = await sql<{ subject: string }>`SELECT subject FROM outbox WHERE aggregate = ${id} ORDER BY id`.execute(opened.db);
    expect(rows.map((one) => one.subject.split('.')[3])).toEqual(['issued', 'rendered', 'voided', 'rendered']);
  });
});

describe('Given the standing of a payment told in any order', () => {
  it('keeps what the latest event said', async () => {
    const open = refundedPayment(3, [], [{ ...exampleDispute, status: 'needs_response' }]);
    const won = refundedPayment(3, [refund('rfd_x', 'succeeded', 70)], [{ ...exampleDispute, status: 'won' }]);
    for (const [snapshot, version] of [[won, 9], [open, 5], [won, 9]] as const) await keepStanding(opened.db, snapshot, version); // prettier-ignore
    expect(await findStanding(opened.db, open.payment_id)).toEqual({ refunded: 70, dispute: 'won' });
  });
});

describe('Given receipts, notes and everything that was recorded of them', () => {
  it('finds every document the same when it verifies, names what is missing or damaged in the store, and changes nothing', async () => {
    await knowPayers(opened.db, [payment(2)]);
    while ((await new DocumentLoop(ports).runOnce()) > 0);
    await opened.db
      .deleteFrom('documents')
      .where('receipt_id', '=', receiptId(payment(1).payment_id))
      .execute();
    await opened.db
      .updateTable('documents')
      .set({ pdf: Buffer.from('%PDF damaged') })
      .where('receipt_id', '=', receiptId(payment(2).payment_id))
      .execute();
    const verify = async (query: Record<string, string>) => JSON.parse((await new VerifyRpc(ports).verify({ ...request(''), query })).body);
    const first = await verify({ limit: '3' });
    const second = await verify({ limit: '3', cursor: first.next_cursor });
    expect([first.total, first.has_more, second.has_more]).toEqual([5, true, false]);
    const checks = [...first.data, ...second.data] as { number: string; result: string; stored: string }[];
    expect(Object.fromEntries(checks.map(({ number, result, stored }) => [number, `${result} ${stored}`]))).toEqual({
      'R-2026-1': 'same missing',
      'R-2026-2': 'same damaged',
      'CN-2026-1': 'same sound',
      'CN-2026-2': 'same missing',
      'CN-2026-3': 'same sound',
    });
    await sql`UPDATE receipts SET sha256 = 'f' WHERE number = 'CN-2026-2'`.execute(opened.db);
    await sql`UPDATE receipts SET sha256 = 'f', fonts = 'other' WHERE number = 'CN-2026-3'`.execute(opened.db);
    const changed = (await verify({ kind: 'credit_note' })).data as { number: string; result: string }[];
    expect(changed.map(({ number, result }) => `${number} ${result}`).sort()).toEqual([
      'CN-2026-1 same',
      'CN-2026-2 differs',
      'CN-2026-3 other_parts',
    ]);
    await rebuildReceipts(opened.db);
  });

  it('rebuilds equal rows with the same numbers, voids included', async () => {
    const checksum = await checksumOfReceipts(opened.db);
    await opened.db.deleteFrom('receipts').execute();
    await rebuildReceipts(opened.db);
    expect(await checksumOfReceipts(opened.db)).toBe(checksum);
  });
});

describe('Given messages that were handled and left nothing behind', () => {
  it('names the refund without its credit note and the payment without its receipt, and no other: a refund that failed since needs none', async () => {
    const handled = (snapshot: PaymentSnapshot, fact: 'succeeded' | 'refund_updated') =>
      sql<{ message_id: string }>`
        INSERT INTO inbox (consumer, generation, message_id, epoch, position, aggregate, subject, bytes, state)
        VALUES ('receipts-payments', 9, gen_random_uuid(), 1, ${(position += 1)}, ${snapshot.payment_id}, ${paymentSubject(fact)},
          convert_to(${JSON.stringify(succeeded(snapshot))}, 'UTF8'), 'done') RETURNING message_id`
        .execute(opened.db)
        .then(({ rows }) => rows[0]?.message_id);
    let position = 0;
    await handled(payment(2), 'succeeded');
    await handled(refundedPayment(2, [refund('rfd_d', 'succeeded')]), 'refund_updated');
    const noNote = await handled(refundedPayment(1, [refund('rfd_c', 'succeeded'), refund('rfd_e', 'succeeded')]), 'refund_updated');
    await handled(refundedPayment(2, [refund('rfd_d', 'succeeded'), refund('rfd_f', 'succeeded')]), 'refund_updated');
    await handled(refundedPayment(2, [refund('rfd_d', 'succeeded'), refund('rfd_f', 'failed')]), 'refund_updated');
    const noReceipt = await handled(payment(77), 'succeeded');
    const found = await opened.db
      .transaction()
      .execute(async (tx) => receiptsProjection.unaccounted?.(tx as never, { consumer: 'receipts-payments', generation: 9 }));
    expect(found?.map(({ messageId }) => messageId).sort()).toEqual([noNote, noReceipt].sort());
  });
});

describe('Given a document that is being made', () => {
  /** Something happens to the payment while the engine is at work on the document. */
  const meanwhile = (happens: () => Promise<unknown>) => {
    let first = true;
    return {
      ...ports,
      renderer: {
        async render(...args: Parameters<TypstRenderer['render']>) {
          const made = await renderer.render(...args);
          if (first) {
            first = false;
            await happens();
          }
          return made;
        },
      } as unknown as TypstRenderer,
    };
  };

  it('says that the note is void when it was voided meanwhile', async () => {
    const n = 20;
    const id = creditNoteId(payment(n).payment_id, 'rfd_v');
    await knowPayers(opened.db, [payment(n)]);
    await told(refundedPayment(n, [refund('rfd_v', 'succeeded')]));
    await new DocumentLoop(meanwhile(() => told(refundedPayment(n, [refund('rfd_v', 'failed')]), { version: 3 }))).runOnce();
    while ((await new DocumentLoop(ports).runOnce()) > 0);
    expect(await row(id)).toMatchObject({ status: 'rendered', voided_at: time });
    expect(await pageOf(id)).toContain('Void since');
  });

  it('stays as somebody had it made anew meanwhile', async () => {
    const n = 21;
    const id = receiptId(payment(n).payment_id);
    await knowPayers(opened.db, [payment(n)]);
    await told(payment(n));
    let anew = '';
    const loop = new DocumentLoop(
      meanwhile(async () => {
        await told(refundedPayment(n, [refund('rfd_w', 'succeeded')]), { version: 3 });
        const reply = await new ChangeRpc({ ...ports, mailDue: () => undefined }).regenerate(request(id, { reason: 'refunded' }));
        anew = JSON.parse(reply.body).sha256;
      }),
    );
    await loop.runOnce();
    expect(await row(id)).toMatchObject({ status: 'rendered', sha256: anew });
    expect(await pageOf(id)).toContain('After refunds');
  });
});

describe('Given four issuers that die before and after their commits while the year ends where the tenant is', () => {
  it('numbers receipts and credit notes of both years without a gap, each once', async () => {
    const random = seededRandom(Number(process.env['SEED'] ?? 20261231));
    const fallible: Failpoints = { hit: (name) => (random() < 0.25 ? Promise.reject(new FailpointError(name)) : Promise.resolve()) };
    const fresh = await receiptsDatabase();
    const issuers = Array.from({ length: 4 }, () => connect(fresh, 2));
    // 23:00 UTC is midnight in Berlin.
    time = new Date('2026-12-31T22:59:59.000Z');
    let done = 0;
    await Promise.all(
      issuers.map(async (db) => {
        for (const n of Array.from({ length: 40 }, (_, at) => ({ at, key: random() }))
          .sort((a, b) => a.key - b.key)
          .map(({ at }) => at)) {
          const snapshot = refundedPayment(1000 + n, n % 2 === 0 ? [refund(`rfd_${n}`, 'succeeded')] : []);
          while (
            !(await told(snapshot, { db, failpoints: fallible }).then(
              () => true,
              () => false,
            ))
          );
          if ((done += 1) === 80) time = new Date('2026-12-31T23:00:00.000Z');
        }
      }),
    );
    const { rows } = await sql<{ series: string; year: number; count: number; highest: number; given: number; last: number }>`
      SELECT series, year, count(*) AS count, max(sequence) AS highest, count(DISTINCT sequence) AS given,
        (SELECT last FROM counters c WHERE c.series = r.series AND c.year = r.year) AS last
      FROM receipts r GROUP BY series, year ORDER BY series, year`.execute(issuers[0]!.db);
    expect(rows.map(({ series, year }) => `${series} ${year}`)).toEqual(['CN 2026', 'CN 2027', 'R 2026', 'R 2027']);
    for (const { count, highest, given, last } of rows) expect([highest, given, last]).toEqual([count, count, count]);
    expect(rows.reduce((sum, one) => sum + one.count, 0)).toBe(60);
    await Promise.all(issuers.map((db) => db.close()));
    await fresh.drop();
  }, 30_000);
});
