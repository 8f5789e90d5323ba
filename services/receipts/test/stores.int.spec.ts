import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RouteRequest } from '@tidegate/contracts/rpc/routes';
import { type Database } from '@tidegate/database/database';
import { readStream } from '@tidegate/event-store/read';
import { createMetrics } from '@tidegate/telemetry/metrics';
import type { TestDatabase } from '@tidegate/test-harness/postgres';
import { PNG } from 'pngjs';
import { DocumentLoop } from '../src/document/document.loop.js';
import { Links } from '../src/link/links.js';
import { receiptStream } from '../src/receipt/receipt.events.js';
import { issueForPayment } from '../src/receipt/receipt.flow.js';
import { receiptId } from '../src/receipt/receipt-id.js';
import { ReceiptRpc } from '../src/receipt/receipt.rpc.js';
import { VerificationRpc } from '../src/receipt/verification.rpc.js';
import { TypstRenderer } from '../src/rendering/typst-renderer.js';
import type { DocumentStore } from '../src/store/document-store.port.js';
import { postgresStore } from '../src/store/postgres.store.js';
import { s3Store } from '../src/store/s3.store.js';
import { storeOf } from '../src/store/store-of.js';
import type { Tables } from '../src/tables.js';
import { TenantCopies } from '../src/tenant/tenant-copy.js';
import { documentPorts } from './document-ports.js';
import { documentStoreFeatures, someDocument } from './document-store.features.js';
import { berlin, knowPayers, payment, succeeded } from './payments.js';
import { connect, receiptsDatabase } from './receipts-database.js';
import { s3Server, type S3Server } from './s3-server.js';

const renderer = new TypstRenderer();
const metrics = createMetrics('receipts');
let time = new Date('2026-11-21T06:00:01.000Z');
const clock = { now: () => time };
let database: TestDatabase;
let opened: Database<Tables>;
let server: S3Server;
let s3: DocumentStore & { close(): void };

beforeAll(async () => {
  [database, server] = await Promise.all([receiptsDatabase(), s3Server()]);
  opened = connect(database);
  s3 = await s3Store(server.settings);
});
afterAll(async () => {
  s3.close();
  await Promise.all([server.stop(), renderer.close(), opened.close()]);
  await database.drop();
});

documentStoreFeatures('postgres', () => ({
  db: opened.db,
  store: postgresStore(opened.db),
  damage: async () =>
    void (await opened.db
      .updateTable('documents')
      .set({ pdf: Buffer.from('damaged') })
      .execute()),
}));
documentStoreFeatures('S3', () => ({ db: opened.db, store: s3, damage: () => server.damage() }));

describe('When the store is chosen', () => {
  it.each([
    ['postgres', 'postgres'],
    ['s3://bucket/some/prefix/', 's3'],
    ['s3://bucket', 's3'],
  ])('takes %s as %s', async (RECEIPT_STORE, name) => {
    expect((await storeOf({ RECEIPT_STORE, RECEIPT_S3_ENDPOINT: undefined }, opened.db)).name).toBe(name);
  });
});

const ports = (store: DocumentStore = s3) => ({ ...documentPorts(opened, { clock, renderer, metrics }), store });
const request = (params: Record<string, string>, tenant = 'default'): RouteRequest => ({
  tenant, actor: 'key_1', request_id: 'req_1', correlation_id: 'cor_1', route: 'x', params, query: {}, idempotency_key: null, respond_async: false, livemode: false, body: null,
}); // prettier-ignore
async function issued(n: number): Promise<string> {
  const snapshot = payment(n);
  await knowPayers(opened.db, [snapshot]);
  const told = {
    payment: snapshot,
    tenant: berlin,
    cause: succeeded(snapshot),
    now: time,
    numberFormat: '{series}-{year}-{sequence}',
    template: 'receipt',
  };
  await opened.db.transaction().execute((tx) => issueForPayment(tx, { ...told, publicUrl: 'https://pay.example.com' }));
  return receiptId(snapshot.payment_id);
}
const row = (id: string) => opened.db.selectFrom('receipts').selectAll().where('receipt_id', '=', id).executeTakeFirstOrThrow();
const errors = async (error: string) =>
  (await metrics.registry.getSingleMetric('payments_receipt_errors_total')?.get())?.values.find((one) => one.labels['error'] === error)
    ?.value;

describe('Given a store that is away for an hour', () => {
  it('numbers go on, documents follow when it is back, and what was stored before is still answered', async () => {
    const before = await issued(1);
    await new DocumentLoop(ports()).runOnce();
    const { sha256 } = await row(before);
    await server.close();
    const ids = [];
    for (let minute = 0; minute < 60; minute += 20) {
      ids.push(await issued(10 + minute));
      await new DocumentLoop(ports()).runOnce();
      time = new Date(time.getTime() + 20 * 60_000);
    }
    for (const id of ids) expect(await row(id)).toMatchObject({ status: 'issued', sha256: null });
    expect(await errors('store_unavailable')).toBeGreaterThanOrEqual(3);
    const counted = (await errors('store_unavailable')) ?? 0;
    const reply = await new ReceiptRpc(ports()).pdf(request({ id: before }));
    expect(await errors('store_unavailable')).toBe(counted + 1);
    expect([reply.status, createHash('sha256').update(Buffer.from(reply.body, 'base64')).digest('hex')]).toEqual([200, sha256]);
    await server.open();
    expect(await new DocumentLoop(ports()).runOnce()).toBe(3);
    for (const id of ids) expect(await row(id)).toMatchObject({ status: 'rendered' });
    expect((await row(before)).sha256).toBe(sha256);
  });
});

describe('Given a store that refuses', () => {
  it('names it, counts it and keeps the number', async () => {
    const denied = await s3Store({ ...server.settings, credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'stale' } });
    await expect(denied.put(someDocument().key, Buffer.from('x'), time)).rejects.toMatchObject({ error: 'store_access_denied' });
    const id = await issued(100);
    await new DocumentLoop(ports(denied)).runOnce();
    expect(await row(id)).toMatchObject({ status: 'failed', error: 'store_access_denied', number: expect.stringMatching(/^R-2026-/) });
    expect(await errors('store_access_denied')).toBe(1);
    denied.close();
    time = new Date(time.getTime() + 3600_000);
    await new DocumentLoop(ports()).runOnce();
    expect(await row(id)).toMatchObject({ status: 'rendered', error: null });
  });
});

describe('Given objects that were damaged', () => {
  it('renders the document again on read, to the same bytes, and puts it back', async () => {
    const id = receiptId(payment(1).payment_id);
    const { sha256 } = await row(id);
    server.damage();
    const reply = await new ReceiptRpc(ports()).pdf(request({ id }));
    expect(reply.status).toBe(200);
    expect(await s3.get({ tenant: 'default', receiptId: id, sha256: sha256! })).toEqual(new Uint8Array(Buffer.from(reply.body, 'base64')));
  });
});

describe('Given a tenant with a logo', () => {
  const png = (shade: number) => {
    const image = new PNG({ width: 40, height: 20 });
    image.data.fill(shade);
    return PNG.sync.write(image);
  };
  const withLogo = (bytes: Buffer) => ({
    ...berlin,
    accent: '#1d4f91',
    logo: { sha256: createHash('sha256').update(bytes).digest('hex'), png: bytes.toString('base64') },
  });

  it('prints it, and makes a lost document again with the logo that it had', async () => {
    let tenant = withLogo(png(90));
    const copies = new TenantCopies({ db: opened.db, ask: { request: async () => tenant }, clock });
    const snapshot = payment(200);
    await knowPayers(opened.db, [snapshot]);
    const told = {
      payment: snapshot,
      cause: succeeded(snapshot),
      now: time,
      numberFormat: '{series}-{year}-{sequence}',
      template: 'receipt',
    };
    const copy = await copies.get('default');
    await opened.db.transaction().execute((tx) => issueForPayment(tx, { ...told, tenant: copy }));
    const id = receiptId(snapshot.payment_id);
    await new DocumentLoop(ports()).runOnce();
    const { sha256 } = await row(id);
    const events = await readStream(opened.db, receiptStream(snapshot.payment_id));
    expect(JSON.stringify(events).length).toBeLessThan(4000);

    tenant = withLogo(png(30));
    time = new Date(time.getTime() + 120_000);
    expect((await copies.get('default')).logo).toMatchObject({ sha256: tenant.logo.sha256 });
    server.damage();
    const reply = await new ReceiptRpc(ports()).pdf(request({ id }));
    expect([reply.status, (await row(id)).sha256]).toEqual([200, sha256]);
    expect(Buffer.from(reply.body, 'base64').toString('latin1')).toMatch(/\/Subtype ?\/Image/);
  });
});

describe('Given a signed link', () => {
  const open = (token: string, at = clock) =>
    new ReceiptRpc({ ...ports(), links: new Links({ db: opened.db, clock: at, settings: { publicUrl: null, seconds: 300 } }) }).openLink(
      request({ token }, ''),
    );
  const linkOf = async (id: string) =>
    (JSON.parse((await new ReceiptRpc(ports()).get(request({ id }))).body) as { link: string }).link.replace('/r/', '');

  it('opens the PDF for whoever has it, unsniffed and unstored', async () => {
    const reply = await open(await linkOf(receiptId(payment(1).payment_id)));
    expect([reply.status, reply.content_type]).toEqual([200, 'application/pdf']);
    expect(reply.headers).toMatchObject({
      'content-disposition': expect.stringMatching(/^inline; /),
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-store',
    });
  });

  it('is gone with a code after its time', async () => {
    const token = await linkOf(receiptId(payment(1).payment_id));
    const later = { now: () => new Date(time.getTime() + 301_000) };
    const reply = await open(token, later);
    expect([reply.status, JSON.parse(reply.body).code]).toEqual([410, 'receipts.link_expired']);
  });

  it('is nothing when it was altered, and no tenant gets one of another', async () => {
    const id = receiptId(payment(1).payment_id);
    const token = await linkOf(id);
    const altered = `${token[0] === 'A' ? 'B' : 'A'}${token.slice(1)}`;
    expect((await open(altered)).status).toBe(404);
    expect((await new ReceiptRpc(ports()).get(request({ id }, 'other'))).status).toBe(404);
  });
});

describe('Given the code on a document', () => {
  it('leads to a page that says what was issued, and nothing about who paid', async () => {
    const { verification, number } = await row(receiptId(payment(1).payment_id));
    const reply = await new VerificationRpc({ db: opened.db }).page(request({ token: verification! }, ''));
    expect([reply.status, reply.content_type]).toEqual([200, 'text/html; charset=utf-8']);
    for (const words of [number, 'Valid', '$10.01', 'Hafenrösterei']) expect(reply.body).toContain(words);
    expect(reply.body).not.toMatch(/<script|pay_|@/);
    expect((await new VerificationRpc({ db: opened.db }).page(request({ token: 'never-issued-at-all' }, ''))).status).toBe(404);
  });
});
