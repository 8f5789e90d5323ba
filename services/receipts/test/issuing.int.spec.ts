import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Database } from '@tidegate/database/database';
import { FailpointError, type Failpoints, noFailpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import { readStream } from '@tidegate/event-store/read';
import type { TestDatabase } from '@tidegate/test-harness/postgres';
import type { PaymentSnapshot } from '@tidegate/contracts/payment';
import type { Tenant } from '@tidegate/contracts/rpc/routes';
import { sql } from 'kysely';
import { receiptStream } from '../src/receipt/receipt.events.js';
import { IssueRpc } from '../src/receipt/issue.rpc.js';
import { issueForPayment } from '../src/receipt/receipt.flow.js';
import type { Tables } from '../src/tables.js';
import { TenantCopies } from '../src/tenant/tenant-copy.js';
import { berlin, payment, succeeded, tokyo } from './payments.js';
import { connect, receiptsDatabase, silent } from './receipts-database.js';
import { seededRandom } from './seeded-random.js';

let database: TestDatabase;
let opened: Database<Tables>;
beforeAll(async () => {
  database = await receiptsDatabase();
  opened = connect(database);
});
afterAll(async () => {
  await opened.close();
  await database.drop();
});

const now = new Date('2026-11-21T06:00:01.000Z');
const numberFormat = '{series}-{year}-{sequence:6}';
let next = 0;

interface Issuing {
  tenant?: Tenant;
  at?: Date;
  db?: Database<Tables>;
  failpoints?: Failpoints;
  changes?: Partial<PaymentSnapshot>;
}

async function issue(n: number, options: Issuing = {}) {
  const { tenant = berlin, at = now, db = opened, failpoints = noFailpoints, changes } = options;
  const snapshot = payment(n, changes);
  const steps = { db: db.db, failpoints };
  return inTransaction(steps, 'receipts.receipts-payments.handle', (tx) =>
    issueForPayment(tx, { payment: snapshot, tenant, cause: succeeded(snapshot, tenant.id), now: at, numberFormat, template: 'receipt' }),
  );
}

const numbersOf = async (tenant: string) =>
  (await opened.db.selectFrom('receipts').select('number').where('tenant', '=', tenant).orderBy('year').orderBy('sequence').execute()).map(
    (row) => row.number,
  );
const staged = async () =>
  (
    await sql<{ subject: string; body: string }>`SELECT subject, convert_from(bytes, 'UTF8') AS body FROM outbox ORDER BY id`.execute(
      opened.db,
    )
  ).rows;

describe('Given a payment that succeeded', () => {
  it('issues one receipt over what was captured, with event, row and message in one transaction', async () => {
    const n = ++next;
    const issued = await issue(n);
    const [event, ...more] = await readStream(opened.db, receiptStream(payment(n).payment_id));
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      type: 'ReceiptIssued',
      stream_version: 1,
      metadata: { correlation_id: `cor_${payment(n).payment_id}`, traceparent: expect.stringMatching(/^00-0af7/) },
    });
    expect(event?.data).toEqual(issued);
    expect(issued).toMatchObject({
      number: 'R-2026-000001',
      amount: 1000 + n,
      currency: 'usd',
      zone: 'Europe/Berlin',
      seller: { name: 'Hafenrösterei' },
    });
    const [message] = await staged();
    expect([message?.subject, JSON.parse(message?.body ?? '').data]).toEqual([
      'receipts.events.receipt.issued.v1',
      expect.objectContaining({ number: 'R-2026-000001', payment_id: payment(n).payment_id }),
    ]);
  });

  it('issues nothing more when the event comes again, one after the other or five at once', async () => {
    const before = await numbersOf('default');
    await issue(1);
    await Promise.all(Array.from({ length: 5 }, () => issue(1)));
    expect(await numbersOf('default')).toEqual(before);
    expect(await staged()).toHaveLength(before.length);
  });

  it('gives one of five issuers that never saw each other the receipt, and loses no number', async () => {
    const n = ++next;
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => issue(n)));
    expect(results.filter((one) => one.status === 'fulfilled' && one.value !== null)).toHaveLength(1);
    await issue(++next);
    expect(await numbersOf('default')).toEqual(['R-2026-000001', 'R-2026-000002', 'R-2026-000003']);
  });
});

describe('Given a payment that succeeded and has no receipt', () => {
  const told: unknown[] = [];
  const ask = async (body: object) => {
    const rpc = new IssueRpc({
      db: opened.db,
      tenants: { get: async () => berlin } as unknown as TenantCopies,
      clock: { now: () => now },
      logger: silent,
      numberFormat,
      publicUrl: null,
      issued: () => told.push('issued'),
    });
    const about = {
      request_id: 'req_1',
      correlation_id: 'cor_1',
      route: 'x',
      params: {},
      query: {},
      idempotency_key: null,
      respond_async: false,
    };
    return rpc.issue({ tenant: 'default', actor: 'service:reconciliation', livemode: false, ...about, body });
  };

  it('issues it to who asks, once, and refuses what did not succeed', async () => {
    const snapshot = payment(++next);
    const before = await numbersOf('default');
    const replies = [await ask({ payment: snapshot, reason: 'spec' }), await ask({ payment: snapshot, reason: 'spec' })];
    expect(replies.map((one) => one.status)).toEqual([202, 202]);
    expect(await numbersOf('default')).toHaveLength(before.length + 1);
    expect(told).toEqual(['issued']);
    expect((await ask({ payment: { ...payment(++next), status: 'canceled' }, reason: 'spec' })).status).toBe(422);
    expect((await ask({ payment: {}, reason: 'spec' })).status).toBe(400);
    expect(await numbersOf('default')).toHaveLength(before.length + 1);
  });
});

describe('Given a year that ends earlier at one tenant than at another', () => {
  const boundary = new Date('2026-12-31T20:00:00.000Z');

  it('counts each tenant in the year where it is, each year from 1', async () => {
    await issue(++next, { tenant: tokyo, at: new Date('2026-12-31T10:00:00.000Z') });
    await issue(++next, { tenant: tokyo, at: boundary });
    await issue(++next, { tenant: tokyo, at: boundary });
    await issue(++next, { at: boundary });
    expect(await numbersOf('other')).toEqual(['R-2026-000001', 'R-2027-000001', 'R-2027-000002']);
    expect(await numbersOf('default')).toContain('R-2026-000004');
  });
});

describe('Given an issuer that read the clock and then waited for another', () => {
  const midnight = Date.parse('2026-03-01T23:00:00.000Z');
  const tenant = { ...berlin, id: 'at_midnight' };
  const issuedAt = async (ms: number) => (await issue(++next, { tenant, at: new Date(midnight + ms) }))?.issued_at;

  it('dates its number no earlier than the one before, unless a clock is plainly wrong', async () => {
    expect(await issuedAt(5)).toBe(new Date(midnight + 5).toISOString());
    expect(await issuedAt(-5)).toBe(new Date(midnight + 5).toISOString());
    expect(await issuedAt(900)).toBe(new Date(midnight + 900).toISOString());
    expect(await issuedAt(-3_600_000)).toBe(new Date(midnight - 3_600_000).toISOString());
    expect(await issuedAt(-3_600_001)).toBe(new Date(midnight - 3_600_000).toISOString());
  });
});

describe('Given four issuers that die before and after their commits', () => {
  const seed = Number(process.env['SEED'] ?? 20261121);
  let fresh: TestDatabase;
  let watcher: Database<Tables>;
  beforeEach(async () => {
    fresh = await receiptsDatabase();
    watcher = connect(fresh);
  });

  it(`numbers every payment once without a gap (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const fallible: Failpoints = { hit: (name) => (random() < 0.2 ? Promise.reject(new FailpointError(name)) : Promise.resolve()) };
    const killer = connect(fresh, 1);
    const issuers = Array.from({ length: 4 }, () => connect(fresh, 3));
    const payments = Array.from({ length: 60 }, (_, n) => n);
    let deaths = 0;

    // Each issuer gets every payment, in an order of its own, as often as it takes.
    const work = issuers.map(async (db) => {
      for (const n of payments
        .map((one) => ({ one, at: random() }))
        .sort((a, b) => a.at - b.at)
        .map(({ one }) => one)) {
        for (;;) {
          try {
            await issue(n, { db, failpoints: fallible });
            break;
          } catch {
            deaths += 1;
          }
        }
      }
    });
    const working = Promise.all(work).then(() => 'done' as const);
    while ((await Promise.race([working, sql`SELECT pg_sleep(0.02)`.execute(watcher.db)])) !== 'done') {
      await sql`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'receipts test' AND pid <> pg_backend_pid()
          AND state <> 'idle' AND query NOT LIKE '%pg_%' ORDER BY random() LIMIT 1`
        .execute(killer.db)
        .catch(() => undefined);
    }
    const { rows } = await sql<{ count: number; max: number; payments: number; last: number }>`
      SELECT count(*), max(sequence), count(DISTINCT payment_id) AS payments, (SELECT last FROM counters) FROM receipts`.execute(
      watcher.db,
    );
    expect(rows[0]).toEqual({ count: 60, max: 60, payments: 60, last: 60 });
    expect(deaths).toBeGreaterThan(20);
    const { rows: messages } = await sql<{ count: number }>`SELECT count(DISTINCT aggregate) AS count FROM outbox`.execute(watcher.db);
    expect(messages[0]?.count).toBe(60);
    await Promise.all([...issuers, killer, watcher].map((db) => db.close()));
    await fresh.drop();
  }, 60_000);
});

describe('Given a gateway that is there and does not answer', () => {
  it('makes one receipt wait for it now and then, not each of them', async () => {
    let asked = 0;
    let at = now;
    let answers = true;
    const ask = {
      async request() {
        asked += 1;
        if (!answers) throw new Error('no answer in time');
        return berlin;
      },
    };
    const copies = new TenantCopies({ db: opened.db, ask, clock: { now: () => at } });
    await copies.get('default');
    answers = false;
    at = new Date(at.getTime() + 120_000);
    for (let receipt = 0; receipt < 5; receipt += 1) expect(await copies.get('default')).toEqual(berlin);
    expect(asked).toBe(2);
    at = new Date(at.getTime() + 10_000);
    expect(await copies.get('default')).toEqual(berlin);
    expect(asked).toBe(3);
    answers = true;
    at = new Date(at.getTime() + 10_000);
    await copies.get('default');
    await copies.get('default');
    expect(asked).toBe(4);
  });
});

describe('Given a payment that was made long before its receipt', () => {
  const late: Tenant = { ...berlin, id: 'late' };

  it('knows when it was paid, which is never after the receipt', async () => {
    const told = await issue(++next, { tenant: late, at: new Date(now.getTime() + 3 * 86_400_000) });
    expect(told).toMatchObject({ happened_at: payment(next).paid_at, issued_at: '2026-11-24T06:00:01.000Z' });
    const ahead = await issue(++next, { tenant: { ...late, id: 'ahead' }, at: new Date(Date.parse(payment(next).updated_at) - 5000) });
    expect(ahead?.happened_at).toBe(ahead?.issued_at);
  });

  it('knows it by what payments says of it, or by when that was recorded where payments does not say', async () => {
    const paid_at = '2026-11-18T23:30:00.000Z';
    expect((await issue(++next, { tenant: late, changes: { paid_at } }))?.happened_at).toBe(paid_at);
    const unsaid = await issue(++next, { tenant: late, changes: { paid_at: undefined }, at: new Date(now.getTime() + 86_400_000) });
    expect(unsaid?.happened_at).toBe(payment(next).updated_at);
  });
});
