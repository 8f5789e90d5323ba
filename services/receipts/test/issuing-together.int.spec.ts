import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Tenant } from '@tidegate/contracts/rpc/routes';
import type { Database } from '@tidegate/database/database';
import type { Incoming } from '@tidegate/messaging/incoming';
import type { TestDatabase } from '@tidegate/test-harness/postgres';
import { ReceiptsPaymentsConsumer } from '../src/receipt/receipts-payments.consumer.js';
import type { Tables } from '../src/tables.js';
import { TenantCopies } from '../src/tenant/tenant-copy.js';
import { berlin, erased, payment, succeeded, tokyo } from './payments.js';
import { connect, receiptsDatabase, silent } from './receipts-database.js';
import { seededRandom } from './seeded-random.js';

jest.setTimeout(60_000);

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

const clock = { now: () => new Date('2026-11-21T06:00:01.000Z') };
const TENANTS: readonly Tenant[] = [berlin, tokyo];
const tenantOf = (n: number): Tenant => TENANTS[n % 2]!;

function consumer() {
  const ask = {
    request: async (_: string, payload: unknown) => TENANTS.find(({ id }) => id === (payload as { tenant: string }).tenant) ?? null,
  };
  const tenants = new TenantCopies({ db: opened.db, ask, clock });
  return {
    tenants,
    consumer: new ReceiptsPaymentsConsumer({
      tenants,
      clock,
      logger: silent,
      numberFormat: '{series}-{year}-{sequence:6}',
      publicUrl: null,
      issued: () => undefined,
    }),
  };
}

function incoming(envelope: Incoming['envelope'], subject: string): Incoming {
  const { id: messageId, aggregate } = envelope;
  const place = { stream: 'PAYMENTS_EVENTS', epoch: 1, position: 1, attempt: 1 } as const;
  return { consumer: 'receipts-payments', generation: 1, messageId, subject, aggregate: aggregate.id, envelope, ...place };
}

/** Half of them have a refund that succeeded, so that they take a number of the other series, too. */
function paid(n: number, tenant = tenantOf(n)): Incoming {
  const refund = { id: `ref_${n}`, stripe_refund: `re_${n}`, amount: 100, status: 'succeeded', reason: null } as const;
  const told = payment(n, n % 4 < 2 ? { refunds: [refund] } : {});
  return incoming(succeeded(told, tenant.id), 'payments.events.payment.succeeded.v1');
}

const numbersOf = async (tenant: string, kind: 'receipt' | 'credit_note') =>
  (
    await opened.db
      .selectFrom('receipts')
      .select('sequence')
      .where('tenant', '=', tenant)
      .where('kind', '=', kind)
      .orderBy('sequence')
      .execute()
  ).map(({ sequence }) => sequence);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('Given payments of several tenants that come in batches', () => {
  it('four issuers at once, each in an order of its own, give numbers without a gap, and none waits for another for ever', async () => {
    const { consumer: one, tenants } = consumer();
    for (const { id } of TENANTS) await tenants.get(id);
    const random = seededRandom(5);
    const all = upTo(160).map((n) => paid(n));
    const batches = upTo(8).map((nth) => all.slice((nth - 1) * 20, nth * 20).sort(() => random() - 0.5));
    const failures: unknown[] = [];
    const issuer = async (): Promise<void> => {
      for (let batch = batches.pop(); batch; batch = batches.pop()) {
        const messages = batch;
        const left = await opened.db
          .transaction()
          .execute((tx) => one.handleSome(tx, messages, (_, work) => work()))
          .catch((error: unknown) => (failures.push(error), []));
        expect(left).toEqual([]);
      }
    };
    // The counters are made by the first who issue: they would be the only ones to meet in a deadlock.
    await opened.db
      .transaction()
      .execute((tx) =>
        one.handleSome(tx, [paid(1001, berlin), paid(1000, berlin), paid(1003, tokyo), paid(1004, tokyo)], (_, work) => work()),
      );
    await Promise.all(upTo(4).map(issuer));

    expect(failures).toEqual([]);
    for (const { id } of TENANTS) {
      expect(await numbersOf(id, 'receipt')).toEqual(upTo(82));
      const notes = await numbersOf(id, 'credit_note');
      expect(notes).toEqual(upTo(notes.length));
      expect(notes.length).toBeGreaterThan(30);
    }
  });

  it('those of a tenant that has to be asked for, and erasures, are left out', async () => {
    const { consumer: one } = consumer();
    const stranger = { ...berlin, id: 'never_asked_for' };
    const messages = [paid(2001, berlin), paid(2002, stranger), incoming(erased('cus_1'), 'payments.events.customer.erased.v1')];
    const left = await opened.db.transaction().execute((tx) => one.handleSome(tx, messages, (_, work) => work()));
    expect(left).toEqual(messages.slice(1));
    expect(await numbersOf('never_asked_for', 'receipt')).toEqual([]);
  });
});
