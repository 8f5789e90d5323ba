import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { openDatabase } from '@tidegate/database/database';
import { type NewReplay, requestReplay } from '@tidegate/messaging/replay/replay.store';
import { sql } from 'kysely';
import type { Finding } from '../src/compare/finding.js';
import { ledgerRepair } from '../src/ledger/repair.js';
import type { ReconciliationTables } from '../src/tables.js';
import { balanceParts, ledger, reconciled, swept, tell } from './ledger-world.js';
import { dashboard, openWorkbench, paid, silent, type Workbench } from './workbench.js';

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
}, 60_000);
afterEach(async () => {
  await endReplays();
  await bench.clear();
});
afterAll(() => bench.shutDown());

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

/** One that an operator has asked for. */
async function replayUnderWay(changes: Partial<NewReplay>): Promise<void> {
  const [id, consumer] = [randomUUID(), 'reconciliation-payments'];
  const by = { actor: 'ann', reason: 'INC-42', requested_at: bench.clock.now(), swap_actor: null, swap_reason: null };
  await requestReplay(bench.db, { id, consumer, projection: consumer, from_time: null, from_position: null, ...by, ...changes });
}

/** As if whoever wanted them had stopped them. */
const endReplays = () =>
  sql`UPDATE event_replays SET state = 'stopped', finished_at = requested_at WHERE finished_at IS NULL`.execute(bench.db);

const newest = () => bench.simulator.world.balanceTransactions.all().at(-1)!;
const named = async () => (await reconciled(bench)).rows;
const actions = async () =>
  (
    await sql<{
      action: string;
      target: string;
    }>`SELECT action, target FROM operator_actions WHERE actor = 'service:reconciliation' ORDER BY at`.execute(bench.db)
  ).rows;

describe('A run that checks the ledger', () => {
  it('finds nothing after sales, refunds, disputes and payouts', async () => {
    const payments = [await sold(), await sold()];
    await dashboard(bench, 'dispute', { payment_intent: payments[0]!.stripe_payment_intent });
    await swept(bench);
    expect((await reconciled(bench)).counts).toMatchObject({ ledger_imbalance: 0 });
    bench.advance(3 * 86_400);
    await dashboard(bench, 'payout', { amount: 100 });
    await swept(bench);
    expect((await reconciled(bench, 5)).counts).toMatchObject({ ledger_imbalance: 0 });
  });

  it.each(['stripe_fee', 'stripe_fx_fee', 'tax_fee'])("finds a charge of Stripe's own (%s) among the fees", async (type) => {
    await sold();
    bench.advance(5);
    const own = { id: bench.simulator.world.ids.next('txn'), type: type as never, source: null as never };
    bench.simulator.world.balanceTransactions.insert({ ...newest(), ...own, amount: -500, fee: 0, net: -500 });
    await swept(bench);
    expect(await ledger(bench)).toEqual({ 'sales usd': -4200, 'stripe_fees usd': 152 + 500, 'stripe_balance usd': 4200 - 152 - 500 });
    expect((await reconciled(bench)).counts).toMatchObject({ ledger_imbalance: 0 });
  });

  it('leaves alone what the sweep has not come to yet', async () => {
    await swept(bench);
    await sold();
    bench.advance(60);
    expect(await named()).toEqual([]);
  });

  it('does not take a sweep that stands still for agreement', async () => {
    await sold();
    await swept(bench);
    bench.advance(2 * 3600);
    await sold();
    bench.advance(5);
    expect(await named()).toMatchObject([{ object: 'balance_transaction', stripe_id: newest().id, proposed_repair: 'record_fee' }]);
    await swept(bench);
    expect(await named()).toEqual([]);
  });

  it('names what Stripe has settled and payments never told of, and has payments ask about it', async () => {
    const payment = await paid(bench);
    await swept(bench);
    expect(await named()).toEqual([]);
    bench.advance(2 * 3600);
    await swept(bench);
    const row = { object: 'ledger_clearing', stripe_id: payment.stripe_payment_intent, proposed_repair: 'look_up' };
    expect(await named()).toMatchObject([{ ...row, local: 'payments told of 0 usd', remote: 'the balance moved by 4200 usd' }]);
    await tell(bench, { payment, version: 1 });
    expect(await named()).toEqual([]);
  });

  it('names a cent that got past the database', async () => {
    const payment = await sold();
    await swept(bench);
    const { id } = newest();
    await tamper(
      `UPDATE reconciliation.ledger_entries SET amount = amount + 1 WHERE transaction_id = '${id}' AND account = 'stripe_clearing'`,
    );
    bench.advance(3700);
    await swept(bench);
    const about = { class: 'ledger_imbalance', payment_id: payment.payment_id };
    const [told, moved] = ['payments told of 4200 usd', 'the balance moved by 4199 usd'];
    expect(await named()).toMatchObject([
      { ...about, object: 'ledger_transaction', stripe_id: id, local: 'sums to 1 usd', remote: '0 usd', proposed_repair: 'replay_ledger' },
      {
        ...about,
        object: 'ledger_clearing',
        stripe_id: payment.stripe_payment_intent,
        local: told,
        remote: moved,
        proposed_repair: 'look_up',
      },
    ]);
  });

  it('names a payment that is not posted as it is recorded', async () => {
    const payment = await sold();
    await swept(bench);
    await tamper(`DELETE FROM reconciliation.ledger_entries WHERE event <> 'fee.recorded'`);
    expect(await named()).toMatchObject([
      {
        ...{
          object: 'ledger_payment',
          payment_id: payment.payment_id,
          stripe_id: payment.stripe_payment_intent,
          proposed_repair: 'replay_ledger',
        },
        ...{ local: 'posted: captured 0, refunded 0 usd', remote: 'recorded: captured 4200, refunded 0 usd' },
      },
    ]);
  });

  it('leaves it to others to name what is recorded wrongly of a payment that is posted as Stripe has settled it', async () => {
    await sold();
    await swept(bench);
    await bench.db.updateTable('recorded_payments').set({ amount_captured: 4100 }).execute();
    expect(await named()).toEqual([]);
    await bench.db.updateTable('recorded_payments').set({ currency: 'eur' }).execute();
    expect(await named()).toEqual([]);
  });

  it('names a balance transaction that Stripe has otherwise, which nobody can repair', async () => {
    const payment = await sold();
    await swept(bench);
    const movement = newest();
    bench.simulator.world.balanceTransactions.replace({ ...movement, fee: 153, net: 4047 });
    const about = { object: 'balance_transaction', payment_id: payment.payment_id, stripe_id: movement.id };
    const words = { local: '4048 usd, fee 152', remote: '4047 usd, fee 153' };
    expect(await named()).toMatchObject([{ ...about, ...words }]);
    expect((await reconciled(bench, 1, 'repair')).rows).toMatchObject([
      { ...words, applied: false, reason: 'the events say what is posted' },
    ]);
  });

  it('names one that Stripe does not have, and has the ledger replayed, once', async () => {
    await sold();
    await swept(bench);
    const at = new Date(bench.clock.now().getTime() - 1000).toISOString();
    await tamper(`INSERT INTO reconciliation.ledger_entries VALUES
      ('txn_planted', 1, 'default', 'stripe_balance', 'usd', 5, 'x', NULL, 'fee.recorded', '${at}'),
      ('txn_planted', 2, 'default', 'other_movements', 'usd', -5, 'x', NULL, 'fee.recorded', '${at}')`);
    bench.advance(2);
    for (let i = 0; i < 2; i += 1)
      expect((await reconciled(bench, 1, 'repair')).rows).toMatchObject([
        {
          object: 'balance_transaction',
          stripe_id: 'txn_planted',
          local: '5 usd, fee 0',
          remote: null,
          proposed_repair: 'replay_ledger',
          applied: true,
        },
      ]);
    expect((await actions()).filter(({ action }) => action === 'event_replay.start')).toEqual([
      { action: 'event_replay.start', target: 'reconciliation-payments' },
    ]);
  });

  it.each([
    ['only compares', {}],
    ['replaces a part only', { swap_actor: 'ann', swap_reason: 'INC-42', from_time: new Date(0) }],
  ])('says that nothing was put right while a replay is under way that %s', async (_, changes) => {
    await sold();
    await swept(bench);
    await tamper(`DELETE FROM reconciliation.ledger_entries WHERE event <> 'fee.recorded'`);
    await replayUnderWay(changes);
    const reason = 'a replay that does not replace the ledger is under way';
    expect((await reconciled(bench, 1, 'repair')).rows).toMatchObject([{ proposed_repair: 'replay_ledger', applied: false, reason }]);
    await endReplays();
    expect((await reconciled(bench, 1, 'repair')).rows).toMatchObject([{ proposed_repair: 'replay_ledger', applied: true }]);
  });

  it('has nothing replayed for what is right by now', async () => {
    const before = await actions();
    const payment = await sold();
    await swept(bench);
    await sold();
    const repair = ledgerRepair(balanceParts(bench));
    const cause = { actor: 'service:reconciliation', reason: 'spec' };
    const found = { class: 'ledger_imbalance', local_id: null, payment_id: payment.payment_id, intent: null, local: null } as const;
    await swept(bench);
    const missed: Finding = { ...found, object: 'balance_transaction', stripe_id: newest().id, remote: '4048 usd, fee 152' };
    expect(await repair.recordFee(missed, cause)).toEqual({ applied: true, reason: null });

    await tamper(`DELETE FROM reconciliation.ledger_entries WHERE event <> 'fee.recorded' AND payment_id = '${payment.payment_id}'`);
    const [misposted] = await named();
    expect(misposted).toMatchObject({ object: 'ledger_payment', payment_id: payment.payment_id });
    await tell(bench, { payment, version: 2 });
    expect(await repair.replay({ ...found, object: 'ledger_payment', stripe_id: null, remote: null }, cause)).toEqual({
      applied: true,
      reason: null,
    });
    expect(await actions()).toEqual(before);
  });

  it('has one that was missed posted, and finds nothing then', async () => {
    await sold();
    await swept(bench);
    await sold();
    bench.advance(5);
    // As if Stripe's list had lagged for longer than the sweep reads again.
    await bench.db.updateTable('balance_sweep').set({ read_to: bench.clock.now() }).execute();
    const missed = newest().id;
    const row = {
      object: 'balance_transaction',
      stripe_id: missed,
      local: null,
      remote: '4048 usd, fee 152',
      proposed_repair: 'record_fee',
    };
    expect(await named()).toMatchObject([{ ...row, applied: false }]);
    bench.simulator.addFault({ fault: 'error_503', route: 'GET /v1/balance_transactions/:id', nth: 2, times: 50 });
    expect((await reconciled(bench, 1, 'repair')).rows).toMatchObject([{ ...row, applied: false, reason: 'Stripe gave no answer' }]);
    bench.simulator.clearFaults();
    expect((await reconciled(bench, 1, 'repair')).rows).toMatchObject([{ ...row, applied: true, state: 'persisting' }]);
    expect(await named()).toEqual([]);
    expect(await actions()).toContainEqual({ action: 'ledger.record_fee', target: missed });
  });

  it('fails when Stripe cannot be read, instead of agreeing', async () => {
    await sold();
    bench.simulator.addFault({ fault: 'error_503', route: 'GET /v1/balance_transactions', times: 50 });
    expect((await reconciled(bench)).run).toMatchObject({ status: 'failed', counts: {} });
  });
});
