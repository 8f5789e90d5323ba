import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { noPaymentDetails } from '@tidegate/contracts/rpc/payment-details';
import type { RouteRequest } from '@tidegate/contracts/rpc/routes';
import { type Database } from '@tidegate/database/database';
import { FailpointError, noFailpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import { readStream } from '@tidegate/event-store/read';
import { createMetrics } from '@tidegate/telemetry/metrics';
import type { TestDatabase } from '@tidegate/test-harness/postgres';
import { sql } from 'kysely';
import { DocumentLoop } from '../src/document/document.loop.js';
import { parkedDocuments, registerParkedMetric } from '../src/document/parked-documents.js';
import { PayerDetails } from '../src/payer/payer-details.js';
import { receiptStream } from '../src/receipt/receipt.events.js';
import { ChangeRpc } from '../src/receipt/change.rpc.js';
import { issueForPayment } from '../src/receipt/receipt.flow.js';
import { receiptId } from '../src/receipt/receipt-id.js';
import { ReceiptRpc } from '../src/receipt/receipt.rpc.js';
import { bundledFonts } from '../src/rendering/bundled-fonts.js';
import { TEMPLATES, TypstRenderer } from '../src/rendering/typst-renderer.js';
import type { Tables } from '../src/tables.js';
import { documentPorts } from './document-ports.js';
import { berlin, knowPayers, payment, succeeded, tokyo } from './payments.js';
import { readPdf } from './pdf-text.js';
import { connect, receiptsDatabase } from './receipts-database.js';

jest.setTimeout(60_000);

const templates = mkdtempSync(join(tmpdir(), 'tidegate-templates-'));
const renderer = new TypstRenderer({ templates });
const metrics = createMetrics('receipts');
let time = new Date('2026-11-21T06:00:01.000Z');
const clock = { now: () => time };
let database: TestDatabase;
let opened: Database<Tables>;
let ports: ReturnType<typeof documentPorts>;

beforeAll(async () => {
  copyFileSync(join(TEMPLATES, 'receipt.typ'), join(templates, 'receipt.typ'));
  writeFileSync(join(templates, 'broken.typ'), '#let data = (');
  database = await receiptsDatabase();
  opened = connect(database);
  ports = documentPorts(opened, { clock, renderer, metrics });
});
afterAll(async () => {
  await renderer.close();
  await opened.close();
  await database.drop();
  rmSync(templates, { recursive: true });
});

async function issued(n: number, template = 'receipt', tenant = berlin): Promise<string> {
  const snapshot = payment(n);
  await knowPayers(opened.db, [snapshot]);
  await inTransaction({ db: opened.db, failpoints: noFailpoints }, 'receipts.receipts-payments.handle', (tx) =>
    issueForPayment(tx, {
      payment: snapshot,
      tenant,
      cause: succeeded(snapshot),
      now: time,
      numberFormat: '{series}-{year}-{sequence:6}',
      template,
    }),
  );
  return receiptId(snapshot.payment_id, 'receipt');
}

const row = (id: string) => opened.db.selectFrom('receipts').selectAll().where('receipt_id', '=', id).executeTakeFirstOrThrow();
const eventsOf = async (n: number) => (await readStream(opened.db, receiptStream(payment(n).payment_id))).map((event) => event.type);
const metric = async (name: string) =>
  (await metrics.registry.getMetricsAsJSON()).find((one) => one.name === name)?.values as { labels: { error?: string }; value: number }[];
const errorsNamed = async (error: string) =>
  (await metric('payments_receipt_errors_total')).find((one) => one.labels.error === error)?.value;
const request = (id: string, tenant = 'default', query: Record<string, string> = {}): RouteRequest => ({
  tenant, actor: 'key', request_id: 'req_1', correlation_id: 'cor_1', route: 'GET /v1/receipts', params: { id }, query, idempotency_key: null, respond_async: false, livemode: false, body: null,
}); // prettier-ignore

describe('Given receipts that have a number and no document', () => {
  it('renders each, records what it was made of and says so', async () => {
    const id = await issued(1);
    time = new Date(time.getTime() + 60_000);
    expect((await metric('receipts_missing_oldest_seconds'))[0]?.value).toBe(60);
    expect(await new DocumentLoop(ports).runOnce()).toBe(1);
    expect(await row(id)).toMatchObject({
      status: 'rendered',
      template: expect.stringMatching(/^receipt@/),
      engine: expect.stringMatching(/^typst/),
      sha256: expect.any(String),
    });
    expect(await eventsOf(1)).toEqual(['ReceiptIssued', 'ReceiptRendered']);
    const { rows } = await sql<{ subject: string; version: number }>`
      SELECT subject, (convert_from(bytes, 'UTF8')::jsonb #>> '{aggregate,version}')::int AS version FROM outbox ORDER BY id`.execute(
      opened.db,
    );
    expect(rows).toEqual([
      { subject: 'receipts.events.receipt.issued.v1', version: 1 },
      { subject: 'receipts.events.receipt.rendered.v1', version: 2 },
    ]);
    expect((await metric('receipts_missing_oldest_seconds'))[0]?.value).toBe(0);
    expect(await new DocumentLoop(ports).runOnce()).toBe(0);
  });

  it('shares them among loops that run at once, each rendered once', async () => {
    await Promise.all(Array.from({ length: 12 }, (_, n) => issued(10 + n)));
    const loops = Array.from({ length: 3 }, () => new DocumentLoop(ports));
    while ((await Promise.all(loops.map((loop) => loop.runOnce()))).some((done) => done > 0));
    expect(await eventsOf(10)).toEqual(['ReceiptIssued', 'ReceiptRendered']);
    expect(
      await opened.db
        .selectFrom('receipts')
        .where('status', '=', 'rendered')
        .select((s) => s.fn.countAll<number>().as('n'))
        .executeTakeFirst(),
    ).toEqual({ n: 13 });
  });

  it('renders again after it died between compiling and storing', async () => {
    const id = await issued(30);
    const dying = {
      ...ports,
      failpoints: {
        hit: (name: string) =>
          name === 'receipts.render.store.before_commit' ? Promise.reject(new FailpointError(name)) : Promise.resolve(),
      },
    };
    await new DocumentLoop(dying).runOnce();
    expect(await opened.db.selectFrom('documents').where('receipt_id', '=', id).selectAll().execute()).toEqual([]);
    time = new Date(time.getTime() + 60_000);
    await new DocumentLoop(ports).runOnce();
    expect(await row(id)).toMatchObject({ status: 'rendered' });
  });
});

describe('Given a receipt whose template is corrupt', () => {
  it('fails that one by name, counts each attempt, records the cause once, waits longer each time and renders the others', async () => {
    const broken = await issued(40, 'broken');
    const healthy = await issued(41);
    const loop = new DocumentLoop(ports);
    await loop.runOnce();
    expect(await row(broken)).toMatchObject({ status: 'failed', error: 'template', number: expect.stringMatching(/^R-2026-/) });
    expect(await row(healthy)).toMatchObject({ status: 'rendered' });
    expect(await loop.runOnce()).toBe(0);
    for (const seconds of [2, 4, 8]) {
      time = new Date(time.getTime() + (seconds - 1) * 1000);
      expect(await loop.runOnce()).toBe(0);
      time = new Date(time.getTime() + 1000);
      expect(await loop.runOnce()).toBe(1);
    }
    expect(await errorsNamed('template')).toBe(4);
    expect(await eventsOf(40)).toEqual(['ReceiptIssued', 'ReceiptRenderFailed']);
  });

  it('renders it once the template is repaired', async () => {
    copyFileSync(join(TEMPLATES, 'receipt.typ'), join(templates, 'broken.typ'));
    time = new Date(time.getTime() + 3_600_000);
    await new DocumentLoop(ports).runOnce();
    expect(await row(receiptId(payment(40).payment_id, 'receipt'))).toMatchObject({ status: 'rendered', error: null });
  });
});

describe('Given a font that is damaged', () => {
  it('fails by that name, is tried again, leaves the numbers alone, and makes the documents once the font is whole, without a restart', async () => {
    const [first, ...others] = bundledFonts();
    const file = join(templates, 'font.ttf');
    writeFileSync(file, 'no font at all');
    const engine = new TypstRenderer({ templates, fonts: [{ file, family: first!.family }, ...others] });
    const loop = new DocumentLoop({ ...ports, renderer: engine });
    const ids = [await issued(45), await issued(46)];
    await loop.runOnce();
    for (const id of ids) expect(await row(id)).toMatchObject({ status: 'failed', error: 'font' });
    expect(await errorsNamed('font')).toBe(2);
    expect((await row(await issued(47))).number).toMatch(/^R-2026-/);
    expect(await loop.runOnce()).toBe(1);

    copyFileSync(first!.file, file);
    time = new Date(time.getTime() + 2000);
    expect(await loop.runOnce()).toBe(3);
    for (const id of ids) expect(await row(id)).toMatchObject({ status: 'rendered', error: null });
    await engine.close();
  });
});

describe('Given payments that does not answer', () => {
  it('keeps the number, waits with the document and makes it from what payments says later', async () => {
    const id = await issued(50);
    await opened.db.deleteFrom('payers').where('payment_id', '=', payment(50).payment_id).execute();
    for (let minute = 0; minute < 10; minute += 1) {
      expect(await new DocumentLoop(ports).runOnce()).toBe(1);
      expect(await new DocumentLoop(ports).runOnce()).toBe(0);
      time = new Date(time.getTime() + 60_000);
    }
    expect(await row(id)).toMatchObject({ status: 'issued' });
    expect(await errorsNamed('payment_unavailable')).toBe(10);
    await knowPayers(opened.db, [payment(50)], {
      ...noPaymentDetails,
      description: 'Order 50',
      receipt_email: 'ada@example.com',
      locale: null,
      customer: null,
      line_items: [],
    });
    time = new Date(time.getTime() + 5000);
    await new DocumentLoop(ports).runOnce();
    const reply = await new ReceiptRpc(ports).pdf(request(id));
    const { pages } = await readPdf(Buffer.from(reply.body, 'base64'));
    for (const text of ['Order 50', 'ada@example.com', '$10.50', (await row(id)).number]) expect(pages[0]).toContain(text);
  });
});

describe('When a document is read', () => {
  it('comes as a file that is neither sniffed nor stored', async () => {
    const id = receiptId(payment(1).payment_id, 'receipt');
    const reply = await new ReceiptRpc(ports).pdf(request(id));
    expect([reply.status, reply.content_type, reply.encoding]).toEqual([200, 'application/pdf', 'base64']);
    expect(reply.headers).toEqual({
      'content-disposition': `attachment; filename="R-2026-000001.pdf"; filename*=UTF-8''R-2026-000001.pdf`,
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-store',
    });
  });

  it.each([
    ['missing', (id: string) => opened.db.deleteFrom('documents').where('receipt_id', '=', id).execute()],
    [
      'damaged',
      (id: string) =>
        opened.db
          .updateTable('documents')
          .set({ pdf: Buffer.from('%PDF-1.7 damaged') })
          .where('receipt_id', '=', id)
          .execute(),
    ],
  ])('is rendered again with the same bytes when it is %s', async (_, spoil) => {
    const id = receiptId(payment(1).payment_id, 'receipt');
    const before = await row(id);
    await spoil(id);
    const reply = await new ReceiptRpc(ports).pdf(request(id));
    const stored = await opened.db.selectFrom('documents').selectAll().where('receipt_id', '=', id).executeTakeFirstOrThrow();
    expect(stored.sha256).toBe(before.sha256);
    expect(Buffer.compare(stored.pdf, Buffer.from(reply.body, 'base64'))).toBe(0);
    expect(await eventsOf(1)).toEqual(['ReceiptIssued', 'ReceiptRendered']);
  });

  it('is made at once when nobody rendered it yet', async () => {
    const reply = await new ReceiptRpc(ports).pdf(request(await issued(60)));
    expect(reply.status).toBe(200);
    expect(await eventsOf(60)).toEqual(['ReceiptIssued', 'ReceiptRendered']);
  });

  it('answers 503 with a time to come back when it cannot be made', async () => {
    writeFileSync(join(templates, 'broken.typ'), '#let data = (');
    const reply = await new ReceiptRpc(ports).pdf(request(await issued(61, 'broken')));
    expect([reply.status, reply.headers['retry-after'], JSON.parse(reply.body).code]).toEqual([503, '5', 'service.unavailable']);
  });

  it('tells a tenant who has it made anew what kind of failure that is, and operators all of it', async () => {
    writeFileSync(join(templates, 'broken.typ'), '#let data = (');
    const rpc = new ChangeRpc({ ...ports, mailDue: () => undefined });
    const again = { ...request(await issued(62, 'broken')), body: { reason: 'customer asks' } };
    const detail = ({ body }: { body: string }) => (JSON.parse(body) as { detail: string }).detail;
    expect(detail(await rpc.regenerate(again))).toBe('The receipt has its number; its document cannot be made right now: template.');
    expect(detail(await rpc.regenerateForOperators(again))).toMatch(/^template: .+/);
  });
});

describe('When receipts are asked for', () => {
  it('shows one, and the one of a payment', async () => {
    const id = receiptId(payment(1).payment_id, 'receipt');
    const one = await new ReceiptRpc(ports).get(request(id));
    const ofPayment = await new ReceiptRpc(ports).ofPayment(request(payment(1).payment_id));
    expect(JSON.parse(one.body)).toMatchObject({
      id,
      object: 'receipt',
      number: 'R-2026-000001',
      kind: 'receipt',
      payment: payment(1).payment_id,
      status: 'rendered',
      link: expect.stringMatching(/^\/r\/[\w-]+\.[\w-]+$/),
    });
    expect(ofPayment.body).toBe(one.body);
  });

  it("answers 404 for another tenant's and for one that never was", async () => {
    const rpc = new ReceiptRpc(ports);
    const id = receiptId(payment(1).payment_id, 'receipt');
    const answers = await Promise.all([
      rpc.get(request(id, 'other')),
      rpc.pdf(request(id, 'other')),
      rpc.ofPayment(request(payment(1).payment_id, 'other')),
      rpc.get(request('rcp_neverthere')),
    ]);
    expect(answers.map((answer) => [answer.status, JSON.parse(answer.body).code])).toEqual(Array(4).fill([404, 'not_found']));
    expect(JSON.parse((await rpc.list(request('', 'other'))).body)).toEqual({ data: [], has_more: false, next_cursor: null });
  });

  it('lists all of them once, newest first, page by page', async () => {
    const numbers: string[] = [];
    for (let cursor: string | null = '' as string | null; cursor !== null;) {
      const reply = await new ReceiptRpc(ports).list(request('', 'default', { limit: '7', ...(cursor === '' ? {} : { cursor }) }));
      const page = JSON.parse(reply.body) as {
        data: { number: string; issued_at: string }[];
        has_more: boolean;
        next_cursor: string | null;
      };
      expect(page.has_more).toBe(page.next_cursor !== null);
      numbers.push(...page.data.map((one) => one.number));
      cursor = page.next_cursor;
    }
    const { n } = await opened.db
      .selectFrom('receipts')
      .select((s) => s.fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow();
    expect([numbers.length, new Set(numbers).size]).toEqual([n, n]);
    expect(numbers.at(-1)).toBe('R-2026-000001');
  });

  it("tells nothing of another tenant's receipt by going on behind it", async () => {
    const theirs = await issued(80, 'receipt', tokyo);
    const behind = async (cursor: string) => JSON.parse((await new ReceiptRpc(ports).list(request('', 'default', { cursor }))).body);
    expect(await behind(theirs)).toEqual(await behind('rcp_neverthere'));
  });

  it('narrows the list to one payment and to a time', async () => {
    const listed = async (query: Record<string, string>) =>
      (JSON.parse((await new ReceiptRpc(ports).list(request('', 'default', query))).body) as { data: { number: string }[] }).data.map(
        (one) => one.number,
      );
    expect(await listed({ payment: payment(1).payment_id })).toEqual(['R-2026-000001']);
    expect(await listed({ created_lt: '2026-11-21T06:00:02Z' })).toEqual(['R-2026-000001']);
    expect(await listed({ created_gte: '2026-11-21T06:00:02Z', payment: payment(1).payment_id })).toEqual([]);
  });

  it.each([{ limit: '0' }, { limit: '101' }, { limit: 'ten' }, { cursor: 'x' }, { created_lt: 'soon' }, { unknown: '1' }])(
    'refuses the query %j',
    async (query) => {
      const reply = await new ReceiptRpc(ports).list(request('', 'default', query as Record<string, string>));
      expect([reply.status, JSON.parse(reply.body).code]).toEqual([400, 'validation.failed']);
    },
  );
});

describe('Given payments that knows no such payment', () => {
  it('fails by that name, asks less and less often, parks the document after a day, and makes it when somebody asks for it', async () => {
    const id = await issued(70);
    await opened.db.deleteFrom('payers').where('payment_id', '=', payment(70).payment_id).execute();
    const asked: number[] = [];
    const ask = {
      request: async () => {
        asked.push(time.getTime());
        return jsonReply(404, { code: 'not_found' });
      },
    };
    const loop = new DocumentLoop({ ...ports, payers: new PayerDetails({ db: opened.db, ask, clock }) });
    const passing = async (seconds: number, every: number) => {
      for (let passed = 0; passed < seconds; passed += every) {
        await loop.runOnce();
        time = new Date(time.getTime() + every * 1000);
      }
    };

    await passing(1800, 1);
    const pauses = asked.slice(1).map((at, index) => (at - asked[index]!) / 1000);
    expect(pauses).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512]);
    expect(await row(id)).toMatchObject({ status: 'failed', error: 'payment_unknown' });
    expect(await eventsOf(70)).toEqual(['ReceiptIssued', 'ReceiptRenderFailed']);

    await passing(24 * 3600, 900);
    const { length } = asked;
    expect(length).toBeGreaterThan(90);
    await passing(48 * 3600, 3600);
    expect(asked).toHaveLength(length);
    expect((await metric('receipts_missing_oldest_seconds'))[0]?.value).toBeGreaterThan(48 * 3600);

    await knowPayers(opened.db, [payment(70)]);
    expect((await new ReceiptRpc(ports).pdf(request(id))).status).toBe(200);
    expect(await row(id)).toMatchObject({ status: 'rendered', error: null });
  });

  it('shows the parked document among what was set aside, and a replay makes it', async () => {
    const id = await issued(71);
    await opened.db.deleteFrom('payers').where('payment_id', '=', payment(71).payment_id).execute();
    const ask = { request: async () => jsonReply(404, { code: 'not_found' }) };
    const loop = new DocumentLoop({ ...ports, payers: new PayerDetails({ db: opened.db, ask, clock }) });
    for (let round = 0; round < 30; round += 1) {
      await loop.runOnce();
      time = new Date(time.getTime() + 3600_000);
    }
    let woken = 0;
    const parked = parkedDocuments(opened.db, { clock, due: () => (woken += 1) });
    registerParkedMetric(metrics, parked);
    const [found, ...others] = await parked.list({ limit: 10 });
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      kind: 'parked',
      consumer: 'receipts-documents',
      key: id,
      subject: 'receipt.document',
      aggregate: payment(71).payment_id,
      reason: 'payment_unknown',
    });
    expect(found?.attempts).toBeGreaterThan(9);
    expect(await metric('dead_letters')).toMatchObject([{ labels: { consumer: 'receipts-documents' }, value: 1 }]);
    expect(await parked.discard(found!, 'no', async () => undefined)).toBe('cannot_be_discarded');

    await knowPayers(opened.db, [payment(71)]);
    await loop.runOnce();
    expect((await row(id)).status).toBe('failed');
    const audited: string[] = [];
    const replay = () => parked.replay(found!, async () => void audited.push(id));
    expect([await replay(), await replay(), woken]).toEqual([true, false, 1]);
    expect(audited).toEqual([id]);
    await loop.runOnce();
    expect(await row(id)).toMatchObject({ status: 'rendered', error: null });
    expect(await parked.list({ limit: 10 })).toEqual([]);
  });
});
