import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { balanceTransactionKind, ledgerPaymentKind } from '../src/ledger/ledger.kinds.js';
import { paymentKind } from '../src/compare/kinds/payment.kind.js';
import { firstSeen } from '../src/run/comparison.js';
import { openWorkbench, type Workbench } from './workbench.js';

const MANY = 15_000;

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
}, 60_000);
afterAll(() => bench.shutDown());

describe('Given more objects on a run’s pages than the statistics of the database know of', () => {
  it('what was on none is found by looking each up, not by reading all of them for each', async () => {
    const { db, clock } = bench;
    await sql`
      INSERT INTO recorded_payments (payment_id, tenant, status, amount, amount_captured, amount_refunded, currency, stripe_payment_intent, livemode, created_at, updated_at,
        epoch, version)
      SELECT 'pay_' || n, 'default', 'succeeded', 4200, 4200, 0, 'usd', 'pi_' || n, false, ${clock.now()}, ${clock.now()}, 1, 1
      FROM generate_series(1, ${MANY}::int) AS n`.execute(db);
    await sql`ANALYZE recorded_payments`.execute(db);
    await sql`
      INSERT INTO run_seen (run_id, object, object_id) SELECT 'rec_many', 'payment', 'pay_' || n FROM generate_series(1, ${MANY}::int) AS n WHERE n NOT IN (7, 11)`.execute(
      db,
    );
    const now = Math.floor(clock.now().getTime() / 1000);
    const startedAt = performance.now();
    const unseen = await paymentKind.local!.unseen(db, {
      runId: 'rec_many',
      tenant: 'default',
      period: { gte: now - 60, lt: now + 60 },
      limit: 500,
      after: '',
    });
    // Some 50 ms; many seconds, and four times as many for twice the payments, when all are read for each.
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(unseen.map((one) => one.payment_id)).toEqual(['pay_11', 'pay_7']);
  });

  it('also of the ledger, whose keys are of another collation', async () => {
    const { db, clock } = bench;
    await sql`
      INSERT INTO ledger_entries (transaction_id, line, tenant, account, currency, amount, reference, payment_id, event, occurred_at)
      SELECT 'txn_' || n, line, 'default', CASE line WHEN 1 THEN 'stripe_balance' ELSE 'stripe_clearing' END, 'usd', CASE line WHEN 1 THEN 1 ELSE -1 END, 'pi_' || n, NULL,
        'fee.recorded', ${clock.now()} FROM generate_series(1, ${MANY}::int) AS n, generate_series(1, 2) AS line`.execute(db);
    await sql`
      INSERT INTO run_seen (run_id, object, object_id)
      SELECT 'rec_many', 'balance_transaction', 'txn_' || n FROM generate_series(1, ${MANY}::int) AS n WHERE n NOT IN (7, 11)`.execute(db);
    const now = Math.floor(clock.now().getTime() / 1000);
    const startedAt = performance.now();
    const query = { runId: 'rec_many', tenant: 'default', period: { gte: now - 60, lt: now + 60 }, limit: 500, after: '' };
    const unseen = await balanceTransactionKind.local!.unseen(db, query);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(unseen.map((one) => one.transaction_id)).toEqual(['txn_11', 'txn_7']);
  });

  it('refunds and what they moved are looked up by their payment, not read as a whole for each', async () => {
    const { db, clock } = bench;
    await sql`
      INSERT INTO recorded_refunds (refund_id, payment_id, tenant, status, amount, currency, stripe_refund, epoch, version, first_told_at, updated_at)
      SELECT 'rfd_' || n, 'pay_of_others_' || n, 'default', 'succeeded', 1, 'usd', 're_' || n, 1, 1, ${clock.now()}, ${clock.now()}
      FROM generate_series(1, ${MANY}::int) AS n`.execute(db);
    await sql`
      INSERT INTO ledger_entries (transaction_id, line, tenant, account, currency, amount, reference, payment_id, event, occurred_at)
      SELECT 'm_' || n, line, 'default', CASE line WHEN 1 THEN 'sales' ELSE 'stripe_clearing' END, 'usd', CASE line WHEN 1 THEN -4200 ELSE 4200 END, 'pi_' || n,
        'pay_' || n, 'payment.succeeded', ${clock.now()} FROM generate_series(1, 100) AS n, generate_series(1, 2) AS line`.execute(db);
    await sql`
      INSERT INTO ledger_payments (payment_id, epoch, version) SELECT 'pay_' || n, 1, 1 FROM generate_series(1, 100) AS n`.execute(db);
    const now = Math.floor(clock.now().getTime() / 1000);
    const query = { runId: 'rec_many', tenant: 'default', period: { gte: now - 60, lt: now + 60 }, limit: 500, after: '' };
    await db.transaction().execute(async (tx) => {
      await ledgerPaymentKind.local!.unseen(tx, query);
      const { rows } = await sql<{ read: number }>`
        SELECT max(seq_tup_read + idx_tup_fetch)::int AS read FROM pg_stat_xact_user_tables WHERE relname IN ('recorded_refunds', 'ledger_entries')`.execute(
        tx,
      );
      // A million and a half when all is read for each of a hundred; without statistics some of it may be read once.
      expect(rows[0]!.read).toBeLessThan(10 * MANY);
    });
  });

  it('since when something is found is looked up for each, not among all that any run found', async () => {
    const { db } = bench;
    const foundAt = bench.clock.now();
    await sql`
      INSERT INTO discrepancies (run_id, number, tenant, class, object, payment_id, stripe_id, first_seen, found_at, applied)
      SELECT 'rec_before', n, 'default', 'receipt_missing', 'receipt', 'pay_' || n, NULL, ${foundAt}, ${foundAt}, false
      FROM generate_series(1, ${MANY}::int) AS n`.execute(db);
    const keys = [3, MANY, MANY + 1].map((n) => ({
      tenant: 'default',
      class: 'receipt_missing',
      object: 'receipt',
      stripe_id: null,
      payment_id: `pay_${n}`,
    }));
    await db.transaction().execute(async (tx) => {
      expect(await firstSeen(tx, keys)).toEqual([foundAt, foundAt, null]);
      const { rows } = await sql<{ read: number }>`
        SELECT sum(seq_tup_read + idx_tup_fetch)::int AS read FROM pg_stat_xact_user_tables WHERE relname = 'discrepancies'`.execute(tx);
      expect(rows[0]!.read).toBeLessThan(20);
    });
  });
});
