import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { openDatabase } from '@tidegate/database/database';
import { sql } from 'kysely';
import { repairLedger } from '../src/ledger/repair.js';
import { ledgerCheck, type LedgerReport } from '../src/ledger/check.js';
import type { ReconciliationTables } from '../src/tables.js';
import { balanceParts, swept, tell } from './ledger-world.js';
import type { RunParts } from '../src/run/run.flow.js';
import { runOnce } from '../src/run/run.loop.js';
import { answerCreate } from '../src/run/run.rpc.js';
import { dashboard, openWorkbench, paid, routeRequest, runParts, silent, type Workbench } from './workbench.js';

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
}, 60_000);
afterEach(() => bench.clear());
afterAll(() => bench.shutDown());

const CAUSE = { actor: 'service:reconciliation', reason: 'reconciliation rec_1: ledger_imbalance' };
const patience = () => ({ patienceMs: 500, stopping: new AbortController().signal, alive: () => undefined });

async function checked(tenant: string | null = 'default'): Promise<LedgerReport> {
  const now = Math.floor(bench.clock.now().getTime() / 1000);
  return ledgerCheck(balanceParts(bench)).check({ tenant, period: { gte: now - 86_400, lt: now + 60 } }, patience());
}

/** Around every rule of the database. */
async function tamper(statement: string): Promise<void> {
  const { db, close } = openDatabase<ReconciliationTables>({ url: bench.adminUrl, poolSize: 1, applicationName: 'spec' }, silent);
  await db.transaction().execute(async (tx) => {
    await sql`SET LOCAL session_replication_role = replica`.execute(tx);
    await sql.raw(statement).execute(tx);
  });
  await close();
}

async function sold() {
  const payment = await paid(bench);
  await tell(bench, { payment, version: 1 });
  return payment;
}

const newest = () => bench.simulator.world.balanceTransactions.all().at(-1)!;

describe('A ledger that is checked', () => {
  it('agrees with payments and with Stripe after sales, refunds, disputes and payouts, and counts the fees that are pending', async () => {
    const payments = [await sold(), await sold()];
    await dashboard(bench, 'dispute', { payment_intent: payments[0]!.stripe_payment_intent });
    await swept(bench);
    await sold();
    expect(await checked()).toEqual({ found: [], fee_pending: 1 });
    bench.advance(3 * 86_400);
    await dashboard(bench, 'payout', { amount: 100 });
    await swept(bench);
    expect(await checked()).toEqual({ found: [], fee_pending: 0 });
    expect(await checked('other')).toEqual({ found: [], fee_pending: 0 });
  });

  it('leaves alone what the sweep has not come to yet', async () => {
    await swept(bench);
    await sold();
    bench.advance(60);
    expect(await checked()).toEqual({ found: [], fee_pending: 1 });
  });

  it('names a cent that got past the database', async () => {
    const payment = await sold();
    await swept(bench);
    const { id } = newest();
    await tamper(
      `UPDATE reconciliation.ledger_entries SET amount = amount + 1 WHERE transaction_id = '${id}' AND account = 'stripe_clearing'`,
    );
    bench.advance(3700);
    const about = { class: 'ledger_imbalance', payment_id: payment.payment_id };
    expect((await checked()).found).toMatchObject([
      { ...about, object: 'ledger_transaction', stripe_id: id, local: 'sums to 1 usd', remote: '0 usd' },
      {
        ...{ ...about, object: 'balance_transaction', stripe_id: payment.stripe_payment_intent },
        ...{ local: 'payments told of 4200 usd', remote: 'the balance moved by 4199 usd' },
      },
    ]);
  });

  it('names a payment that is not posted as it is recorded', async () => {
    const payment = await sold();
    await swept(bench);
    await tamper(`DELETE FROM reconciliation.ledger_entries WHERE event <> 'fee.recorded'`);
    expect((await checked()).found).toMatchObject([
      {
        ...{ class: 'ledger_imbalance', object: 'payment', payment_id: payment.payment_id, stripe_id: payment.stripe_payment_intent },
        ...{ local: 'posted: captured 0, refunded 0 usd', remote: 'recorded: captured 4200, refunded 0 usd' },
      },
    ]);
  });

  it('names a balance transaction that Stripe has otherwise, that Stripe does not have, and that we do not have', async () => {
    const payment = await sold();
    await swept(bench);
    const movement = newest();
    const about = { class: 'ledger_imbalance', object: 'balance_transaction', payment_id: payment.payment_id };
    bench.simulator.world.balanceTransactions.replace({ ...movement, fee: 153, net: 4047 });
    expect((await checked()).found).toMatchObject([
      { ...about, stripe_id: movement.id, local: '4048 usd, fee 152', remote: '4047 usd, fee 153' },
    ]);
    bench.simulator.world.balanceTransactions.replace(movement);
    await tamper(`DELETE FROM reconciliation.ledger_entries WHERE transaction_id = '${movement.id}'`);
    expect((await checked()).found).toMatchObject([{ ...about, stripe_id: movement.id, local: null, remote: '4048 usd' }]);
    const at = new Date(bench.clock.now().getTime() - 60_000).toISOString();
    await tamper(`INSERT INTO reconciliation.ledger_entries VALUES
      ('txn_planted', 1, 'default', 'stripe_balance', 'usd', 5, 'x', NULL, 'fee.recorded', '${at}'),
      ('txn_planted', 2, 'default', 'other_movements', 'usd', -5, 'x', NULL, 'fee.recorded', '${at}')`);
    expect((await checked()).found).toMatchObject([
      { stripe_id: movement.id, repair: 'replay_ledger' },
      { ...about, payment_id: null, stripe_id: 'txn_planted', local: '5 usd', remote: null, repair: 'replay_ledger' },
    ]);
  });

  it('says so when Stripe cannot be read, instead of agreeing', async () => {
    await sold();
    bench.simulator.addFault({ fault: 'error_503', route: 'GET /v1/balance_transactions', times: 50 });
    await expect(checked()).rejects.toMatchObject({ name: 'StripeUnanswered' });
  });

  it('has what was missed posted, once, and what events say otherwise replayed', async () => {
    await sold();
    await swept(bench);
    bench.advance(7200);
    await sold();
    bench.advance(7200);
    // As if Stripe's list had lagged for longer than the sweep overlaps.
    await bench.db.updateTable('balance_sweep').set({ read_to: bench.clock.now() }).execute();
    const [missed] = (await checked()).found;
    expect(missed).toMatchObject({ class: 'ledger_imbalance', local: null, remote: '4048 usd', repair: 'record_fee' });
    for (let i = 0; i < 2; i += 1) expect(await repairLedger(balanceParts(bench), missed!, CAUSE, patience())).toBe(true);
    expect(await checked()).toEqual({ found: [], fee_pending: 0 });
    expect(
      await bench.db
        .withTables<{ operator_actions: { action: string; actor: string; target: string } }>()
        .selectFrom('operator_actions')
        .select(['actor', 'action', 'target'])
        .execute(),
    ).toEqual([{ actor: CAUSE.actor, action: 'ledger.record_fee', target: missed!.stripe_id }]);

    await tamper(`UPDATE reconciliation.ledger_entries SET amount = amount + 1 WHERE account = 'sales'`);
    const { found } = await checked();
    expect(found.map(({ repair }) => repair)).toEqual(found.map(() => 'replay_ledger'));
    for (const one of found) expect(await repairLedger(balanceParts(bench), one, CAUSE, patience())).toBe(true);
    const { rows } = await sql<{
      wanted: number;
    }>`SELECT count(*) AS wanted FROM event_replays WHERE state = 'queued' AND swap_actor = ${CAUSE.actor}`.execute(bench.db);
    expect(rows).toEqual([{ wanted: 1 }]);
  });

  it('reads many movements of one second page by page', async () => {
    await sold();
    bench.advance(2);
    const movement = newest();
    for (let i = 1; i <= 250; i += 1)
      bench.simulator.world.balanceTransactions.insert({
        ...movement,
        id: bench.simulator.world.ids.next('txn'),
        type: 'adjustment',
        source: `x_${i}`,
        amount: i,
        fee: 0,
        net: i,
      });
    await swept(bench);
    expect((await checked()).found).toEqual([]);
  });
});

describe('A run', () => {
  it('names what the ledger is out by, and has it made anew', async () => {
    await sold();
    await swept(bench);
    await tamper(`UPDATE reconciliation.ledger_entries SET amount = amount + 1 WHERE account = 'stripe_fees'`);
    const parts = balanceParts(bench);
    const ledger = { ...ledgerCheck(parts), repair: (...[found, cause, wait]: Repair) => repairLedger(parts, found, cause, wait) };
    const day = bench.clock.now().toISOString().slice(0, 10);
    const body = { start_date: '2020-01-01', end_date: day, mode: 'repair', classes: ['ledger_imbalance'], reason: 'spec' };
    const reply = await answerCreate({ ...runParts(bench), requested: () => undefined }, routeRequest({ body }));
    await runOnce(runParts(bench, { ledger }), new AbortController().signal);
    const rows = await bench.db
      .selectFrom('discrepancies')
      .select(['class', 'local', 'remote', 'proposed_repair', 'applied'])
      .where('run_id', '=', (JSON.parse(reply.body) as { id: string }).id)
      .orderBy('number')
      .execute();
    expect(rows[0]).toEqual({
      class: 'ledger_imbalance',
      local: 'sums to 1 usd',
      remote: '0 usd',
      proposed_repair: 'replay_ledger',
      applied: true,
    });
    expect(new Set(rows.map((row) => row.class))).toEqual(new Set(['ledger_imbalance']));
    const { rows: replays } = await sql`SELECT 1 FROM event_replays`.execute(bench.db);
    expect(replays.length).toBeGreaterThan(0);
  });
});

type Repair = Parameters<RunParts['ledger']['repair']>;
