import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { noPaymentDetails } from '@tidegate/contracts/rpc/payment-details';
import type { RouteRequest } from '@tidegate/contracts/rpc/routes';
import { type Database } from '@tidegate/database/database';
import { append } from '@tidegate/event-store/append';
import { readStream } from '@tidegate/event-store/read';
import { eventually } from '@tidegate/test-harness/eventually';
import type { TestDatabase } from '@tidegate/test-harness/postgres';
import { sql } from 'kysely';
import { renderReceipt } from '../src/document/document.flow.js';
import { DocumentLoop } from '../src/document/document.loop.js';
import { claimMissing } from '../src/document/document.store.js';
import { PayerDetails } from '../src/payer/payer-details.js';
import { receiptStream } from '../src/receipt/receipt.events.js';
import { ChangeRpc } from '../src/receipt/change.rpc.js';
import { issueForPayment } from '../src/receipt/receipt.flow.js';
import { receiptId } from '../src/receipt/receipt-id.js';
import { TypstRenderer } from '../src/rendering/typst-renderer.js';
import type { Tables } from '../src/tables.js';
import { documentPorts } from './document-ports.js';
import { berlin, knowPayers, payment, succeeded } from './payments.js';
import { connect, receiptsDatabase } from './receipts-database.js';

const renderer = new TypstRenderer();
const time = new Date('2026-11-21T06:00:01.000Z');
const clock = { now: () => time };
let database: TestDatabase;
let opened: Database<Tables>;
let ports: ReturnType<typeof documentPorts>;

beforeAll(async () => {
  database = await receiptsDatabase();
});
beforeEach(() => {
  opened = connect(database, 10);
  ports = documentPorts(opened, { clock, renderer });
});
afterEach(() => opened.close());
afterAll(async () => {
  await renderer.close();
  await database.drop();
});

async function issued(n: number, template = 'receipt'): Promise<string> {
  const snapshot = payment(n);
  await opened.db.transaction().execute((tx) =>
    issueForPayment(tx, {
      payment: snapshot,
      tenant: berlin,
      cause: succeeded(snapshot),
      now: time,
      numberFormat: '{series}-{year}-{sequence:6}',
      template,
    }),
  );
  return receiptId(snapshot.payment_id, 'receipt');
}

const row = (id: string) => opened.db.selectFrom('receipts').selectAll().where('receipt_id', '=', id).executeTakeFirstOrThrow();

async function lockWaits(): Promise<number> {
  const { rows } = await sql<{
    n: number;
  }>`SELECT count(*)::int AS n FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database()`.execute(
    opened.db,
  );
  return rows[0]?.n ?? 0;
}

type Leaving = 'commits' | 'rolls back';

/** Appends to the payment's stream and keeps the transaction open, so that whoever appends next waits, until the answered function has it end. */
async function appenderInTheWay(n: number): Promise<(how: Leaving) => Promise<void>> {
  let giveWay: (how: Leaving) => void = () => undefined;
  const leaves = new Promise<Leaving>((resolve) => (giveWay = resolve));
  let arrived: () => void = () => undefined;
  const inTheWay = new Promise<void>((resolve) => (arrived = resolve));
  const event = { type: 'ReceiptRenderFailed', version: 1, data: { receipt_id: receiptId(payment(n).payment_id), error: 'font' } };
  const metadata = { correlation_id: 'cor', causation_id: null, traceparent: null };
  const held = opened.db
    .transaction()
    .execute(async (tx) => {
      await append(tx, receiptStream(payment(n).payment_id), 1, [event], metadata, time);
      arrived();
      if ((await leaves) === 'rolls back') throw new Error('rolled back');
    })
    .catch(() => undefined);
  await inTheWay;
  return async (how) => {
    giveWay(how);
    await held;
  };
}

describe('Given a render that outlives its lease', () => {
  it.each([
    ['stores its document', 1, 'receipt', 'rendered'],
    ['records its failure', 2, 'missing', 'failed'],
  ])('%s while another replica claims the receipt, without a deadlock', async (_, n, template, status) => {
    const id = await issued(n, template);
    await knowPayers(opened.db, [payment(n)]);
    await claimMissing(opened.db, time, 8);
    await sql`UPDATE renderings SET leased_until = clock_timestamp()`.execute(opened.db);
    const giveWay = await appenderInTheWay(n);
    const rendering = renderReceipt(ports, {
      paymentId: payment(n).payment_id,
      receiptId: id,
      trace: 'of_issue',
      standing: 'as_shown',
    }).catch((error: Error) => error.name);
    await eventually(async () => expect(await lockWaits()).toBe(1));
    let claimed = false;
    const claiming = claimMissing(opened.db, time, 8).finally(() => (claimed = true));
    await eventually(async () => expect(claimed || (await lockWaits()) === 2).toBe(true));
    await giveWay('rolls back');
    const [rendered, claims] = await Promise.all([rendering, claiming]);
    expect(claims.map((claim) => claim.receipt_id)).toEqual([id]);
    if (template === 'missing') expect(rendered).toBe('RenderError');
    expect(await row(id)).toMatchObject({ status });
    await opened.db.deleteFrom('receipts').execute();
    await opened.db.deleteFrom('renderings').execute();
  });
});

describe('Given a render during which something else of the same payment is recorded', () => {
  const renderingOf = (n: number) =>
    opened.db
      .selectFrom('renderings')
      .selectAll()
      .where('receipt_id', '=', receiptId(payment(n).payment_id));

  it.each([
    ['stores its document', 3, 'receipt', 'rendered'],
    ['records its failure', 4, 'missing', 'failed'],
  ])('%s behind it, and lets nobody wait for its lease', async (_, n, template, status) => {
    const id = await issued(n, template);
    await knowPayers(opened.db, [payment(n)]);
    const giveWay = await appenderInTheWay(n);
    const rendering = new DocumentLoop(ports).runOnce();
    await eventually(async () => expect(await lockWaits()).toBe(1));
    await giveWay('commits');
    expect(await rendering).toBe(1);
    expect(await row(id)).toMatchObject({ status });
    const types = (await readStream(opened.db, receiptStream(payment(n).payment_id))).map((event) => event.type);
    expect(types).toEqual(['ReceiptIssued', 'ReceiptRenderFailed', status === 'rendered' ? 'ReceiptRendered' : 'ReceiptRenderFailed']);
    expect((await renderingOf(n).execute()).map((one) => one.due_at > time)).toEqual(status === 'rendered' ? [] : [true]);
    await opened.db.deleteFrom('receipts').execute();
    await opened.db.deleteFrom('renderings').execute();
  });

  it('takes a wish to have it mailed again behind it', async () => {
    const id = await issued(5);
    await knowPayers(opened.db, [payment(5)], { ...noPaymentDetails, receipt_email: 'payer5@example.com' });
    const giveWay = await appenderInTheWay(5);
    const request: RouteRequest = {
      tenant: 'default', actor: 'key_1', request_id: 'req_1', correlation_id: 'cor_1', route: 'x', params: { id }, query: {}, idempotency_key: null, respond_async: false, livemode: false, body: { reason: 'lost it' },
    }; // prettier-ignore
    const reply = new ChangeRpc({ ...ports, mails: true, mailDue: () => undefined }).resend(request);
    await eventually(async () => expect(await lockWaits()).toBe(1));
    await giveWay('commits');
    expect((await reply).status).toBe(202);
    expect(await row(id)).toMatchObject({ mail: 'due' });
    await opened.db.deleteFrom('receipts').execute();
  });
});

describe('Given payments that takes its time to answer', () => {
  it('is asked about all the receipts in hand at once, and each gets its document', async () => {
    const ids = await Promise.all([11, 12, 13, 14, 15, 16].map((n) => issued(n)));
    let asked = 0;
    let everybodyAsked: () => void = () => undefined;
    const together = new Promise<void>((resolve) => (everybodyAsked = resolve));
    const body = JSON.stringify({ details: noPaymentDetails });
    const ask = {
      async request() {
        asked += 1;
        if (asked === ids.length) everybodyAsked();
        await Promise.race([together, new Promise((_, reject) => setTimeout(reject, 1000, new Error('too slow')).unref())]);
        return { status: 200, content_type: 'application/json', headers: {}, body, encoding: 'utf8' };
      },
    };
    await new DocumentLoop({ ...ports, payers: new PayerDetails({ db: opened.db, ask, clock }) }).runOnce();
    expect(asked).toBe(ids.length);
    for (const [at, id] of ids.entries()) {
      expect(await row(id)).toMatchObject({ status: 'rendered' });
      const events = await readStream(opened.db, receiptStream(payment(11 + at).payment_id));
      expect(events.map((event) => event.type)).toEqual(['ReceiptIssued', 'ReceiptRendered']);
    }
  });
});
