import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { noPaymentDetails } from '@tidegate/contracts/rpc/payment-details';
import type { RouteRequest } from '@tidegate/contracts/rpc/routes';
import { type Database } from '@tidegate/database/database';
import type { TestDatabase } from '@tidegate/test-harness/postgres';
import { sql } from 'kysely';
import { DocumentLoop } from '../src/document/document.loop.js';
import { MailLoop } from '../src/mail/mail.loop.js';
import { Mailer } from '../src/mail/mailer.js';
import { ChangeRpc } from '../src/receipt/change.rpc.js';
import { issueForPayment } from '../src/receipt/receipt.flow.js';
import { receiptId } from '../src/receipt/receipt-id.js';
import { checksumOfReceipts, rebuildReceipts } from '../src/receipt/receipt.rebuild.js';
import { TypstRenderer } from '../src/rendering/typst-renderer.js';
import type { Tables } from '../src/tables.js';
import { documentPorts } from './document-ports.js';
import { mailServer, type MailServer } from './mail-server.js';
import { berlin, knowPayers, payment, succeeded } from './payments.js';
import { connect, receiptsDatabase } from './receipts-database.js';

jest.setTimeout(60_000);

const renderer = new TypstRenderer();
let time = new Date('2026-11-21T06:00:01.000Z');
const clock = { now: () => time };
const results: string[] = [];
let database: TestDatabase;
let opened: Database<Tables>;
let server: MailServer;

beforeAll(async () => {
  [database, server] = await Promise.all([receiptsDatabase(), mailServer()]);
  opened = connect(database);
});
afterAll(async () => {
  await Promise.all([server.stop(), renderer.close(), opened.close()]);
  await database.drop();
});
beforeEach(() => {
  server.answer = 0;
  server.sender = 0;
  server.mails.length = 0;
  results.length = 0;
});

const mailer = {
  send: (...args: Parameters<Mailer['send']>) =>
    new Mailer({ url: () => server.url, from: 'receipts@example.com', timeoutMs: 3000 }).send(...args),
};
const ports = (mails = true) => ({
  ...documentPorts(opened, { clock, renderer }),
  mails,
  mailer,
  mailed: { inc: ({ result }: { result: string }) => results.push(result) },
});
const mailRound = (from: Partial<ReturnType<typeof ports>> = {}) => new MailLoop({ ...ports(), ...from }).runOnce();

async function rendered(
  n: number,
  { address = `payer${n}@example.com`, mails = true }: { address?: string | null; mails?: boolean } = {},
): Promise<string> {
  const snapshot = payment(n);
  await knowPayers(opened.db, [snapshot], { ...noPaymentDetails, receipt_email: address, locale: 'de' });
  const told = {
    payment: snapshot,
    tenant: berlin,
    cause: succeeded(snapshot),
    now: time,
    numberFormat: '{series}-{year}-{sequence}',
    template: 'receipt',
  };
  await opened.db.transaction().execute((tx) => issueForPayment(tx, told));
  await new DocumentLoop(ports(mails)).runOnce();
  return receiptId(snapshot.payment_id);
}
const row = (id: string) => opened.db.selectFrom('receipts').selectAll().where('receipt_id', '=', id).executeTakeFirstOrThrow();
const resend = (id: string, mails = true) => {
  const request: RouteRequest = {
    tenant: 'default', actor: 'key_1', request_id: 'req_1', correlation_id: 'cor_1', route: 'x', params: { id }, query: {}, idempotency_key: null, respond_async: false, livemode: false, body: { reason: 'lost it' },
  }; // prettier-ignore
  return new ChangeRpc({ ...ports(mails), mailDue: () => undefined }).resend(request);
};

describe('Given a mail server', () => {
  it('mails each document once, with the PDF, in its language', async () => {
    const id = await rendered(1);
    expect(await row(id)).toMatchObject({ mail: 'due' });
    await mailRound();
    await mailRound();
    expect(server.mails).toHaveLength(1);
    const [mail = ''] = server.mails;
    expect(mail).toMatch(/^To: payer1@example\.com\r$/m);
    expect(mail).toMatch(/^From: receipts@example\.com\r$/m);
    expect(mail).toContain(`Message-ID: <${id}.1@receipts.tidegate>`);
    expect(mail).toMatch(/filename=R-2026-1\.pdf/);
    expect(mail).toMatch(/^Content-Language: de\r$/m);
    const stored = await opened.db.selectFrom('documents').select('pdf').where('receipt_id', '=', id).executeTakeFirstOrThrow();
    expect(mail.replace(/\s/g, '')).toContain(stored.pdf.toString('base64'));
    expect(await row(id)).toMatchObject({ mail: 'sent', mails: 1, mailed_at: time });
    expect(results).toEqual(['sent']);
  });

  it('mails nothing twice when the document is made anew or the projection is rebuilt', async () => {
    const id = receiptId(payment(1).payment_id);
    await sql`DELETE FROM documents`.execute(opened.db);
    const checksum = await checksumOfReceipts(opened.db);
    await rebuildReceipts(opened.db);
    await opened.db.deleteFrom('mailings').execute();
    expect(await checksumOfReceipts(opened.db)).toBe(checksum);
    expect(await mailRound()).toBe(0);
    expect([server.mails, (await row(id)).mail]).toEqual([[], 'sent']);
  });

  it('mails it once more for each resend that somebody asks for', async () => {
    const id = receiptId(payment(1).payment_id);
    expect((await resend(id)).status).toBe(202);
    await mailRound();
    await mailRound();
    expect(server.mails).toHaveLength(1);
    expect(server.mails[0]).toContain(`<${id}.2@receipts.tidegate>`);
    expect(await row(id)).toMatchObject({ mail: 'sent', mails: 2 });
    const { rows } = await sql<{ action: string }>`SELECT action FROM operator_actions`.execute(opened.db);
    expect(rows).toEqual([{ action: 'receipt.resend' }]);
  });

  it('shares what is due among loops that run at once, each mailed once', async () => {
    for (const n of [10, 11, 12]) await rendered(n);
    await Promise.all([mailRound(), mailRound(), mailRound()]);
    expect(server.mails).toHaveLength(3);
  });

  it('has nobody to mail to without an address, and says so to who asks for a resend', async () => {
    const id = await rendered(2, { address: null });
    expect(await mailRound()).toBe(0);
    expect(await row(id)).toMatchObject({ mail: 'none' });
    const reply = await resend(id);
    expect([reply.status, JSON.parse(reply.body).code]).toEqual([422, 'receipts.no_address']);
  });
});

describe('Given a mail server that refuses', () => {
  it('tries again later when it is for now', async () => {
    const id = await rendered(20);
    server.answer = 451;
    await mailRound();
    expect(await row(id)).toMatchObject({ mail: 'due', mail_error: expect.stringContaining('451') });
    expect(await mailRound()).toBe(0);
    time = new Date(time.getTime() + 30_000);
    server.answer = 0;
    await mailRound();
    expect(await row(id)).toMatchObject({ mail: 'sent', mails: 2, mail_error: null });
    expect(results).toEqual(['retry', 'sent']);
  });

  it('gives up when it is for good', async () => {
    const id = await rendered(21);
    server.answer = 550;
    await mailRound();
    time = new Date(time.getTime() + 3600_000);
    expect(await mailRound()).toBe(0);
    expect(await row(id)).toMatchObject({ mail: 'refused', mail_error: expect.stringContaining('550') });
  });

  it('tries again later when it is our sender that is refused, which the payer has nothing to do with', async () => {
    const id = await rendered(24);
    server.sender = 550;
    await mailRound();
    expect(await row(id)).toMatchObject({ mail: 'due', mail_error: expect.stringContaining('550') });
    server.sender = 0;
    time = new Date(time.getTime() + 60_000);
    await mailRound();
    expect(await row(id)).toMatchObject({ mail: 'sent' });
  });

  it('tries again later when nobody is there', async () => {
    const id = await rendered(23);
    const away = new Mailer({ url: () => 'smtp://127.0.0.1:1', from: 'receipts@example.com', timeoutMs: 3000 });
    await mailRound({ mailer: away });
    expect(await row(id)).toMatchObject({ mail: 'due' });
    time = new Date(time.getTime() + 60_000);
    await mailRound();
    expect(await row(id)).toMatchObject({ mail: 'sent' });
  });

  it('does not send again by itself what may have arrived', async () => {
    const id = await rendered(22);
    server.answer = 'cut';
    await mailRound();
    time = new Date(time.getTime() + 3600_000);
    expect(await mailRound()).toBe(0);
    expect(server.mails).toHaveLength(1);
    expect(await row(id)).toMatchObject({ mail: 'unknown', mails: 1 });
  });
});

describe('Given a process that dies while it mails', () => {
  it('leaves a mail that nobody knows of, which is not sent again by itself', async () => {
    const id = await rendered(30);
    const dies = { send: () => Promise.reject(new Error('killed')) };
    await mailRound({ mailer: dies });
    expect(await row(id)).toMatchObject({ mail: 'sending' });
    await sql`UPDATE mailings SET leased_until = clock_timestamp()`.execute(opened.db);
    await mailRound();
    expect([server.mails, results, (await row(id)).mail]).toEqual([[], ['unknown'], 'unknown']);
  });
});

describe('Given a mail that is under way', () => {
  it('refuses a resend, which its end would answer, and takes one after that', async () => {
    const id = await rendered(31);
    let reply: Awaited<ReturnType<typeof resend>> | undefined;
    const slow = {
      send: async (...args: Parameters<Mailer['send']>) => {
        reply = await resend(id);
        return mailer.send(...args);
      },
    };
    await mailRound({ mailer: slow });
    expect([reply?.status, JSON.parse(reply!.body).code]).toEqual([409, 'receipts.mail_under_way']);
    expect((await resend(id)).status).toBe(202);
    await mailRound();
    expect(server.mails).toHaveLength(2);
    expect(await row(id)).toMatchObject({ mail: 'sent', mails: 2 });
  });
});

describe('Given no mail server', () => {
  it('mails nothing, not even later, and refuses a resend by name', async () => {
    const id = await rendered(40, { mails: false });
    expect(await mailRound()).toBe(0);
    const reply = await resend(id, false);
    expect([reply.status, JSON.parse(reply.body).code]).toEqual([422, 'receipts.mail_off']);
  });
});
