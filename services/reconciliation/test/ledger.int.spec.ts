import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { PaymentSnapshot } from '@tidegate/contracts/payment';
import { failpointsFrom } from '@tidegate/database/failpoints';
import { openDatabase } from '@tidegate/database/database';
import { sql } from 'kysely';
import { FAILPOINTS } from '../src/failpoints.js';
import { answerBalances } from '../src/ledger/balances.rpc.js';
import { readBalance } from '../src/ledger/balance.loop.js';
import { recordPayment } from '../src/projection/recorded.store.js';
import type { ReconciliationTables } from '../src/tables.js';
import { balanceParts, ledger, swept, tell } from './ledger-world.js';
import { atStripe, dashboard, openWorkbench, paid, routeRequest, silent, type Workbench } from './workbench.js';

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
}, 60_000);
afterEach(() => bench.clear());
afterAll(() => bench.shutDown());

const FEE = 152;

/** A payment of 42.00 that payments has told of. */
async function sold(options: Parameters<typeof paid>[1] & { quietly?: true } = {}): Promise<PaymentSnapshot> {
  const payment = await paid(bench, options);
  if (!options.quietly) await tell(bench, { payment, version: 1, ...(options.tenant ? { tenant: options.tenant } : {}) });
  return payment;
}

const refund = (status: 'pending' | 'succeeded' | 'failed', stripe_refund: string, amount = 1000) => ({
  ...{ id: `rfd_${stripe_refund.slice(-8)}`, status, amount, reason: null },
  stripe_refund,
});

async function asAdmin(statement: string): Promise<void> {
  const { db, close } = openDatabase<ReconciliationTables>({ url: bench.adminUrl, poolSize: 1, applicationName: 'spec' }, silent);
  await sql.raw(statement).execute(db);
  await close();
}

const listCalls = () =>
  bench.simulator.truth(['requests']).requests.filter(({ path }) => path.startsWith('/v1/balance_transactions')).length;

describe('The tables of the ledger', () => {
  const entry = (line: number, amount: number) =>
    `INSERT INTO reconciliation.ledger_entries VALUES ('txn_planted', ${line}, 'default', 'sales', 'usd', ${amount}, 'pi_1', NULL, 'planted', now())`;

  it.each(['administrator', 'service'])('refuse a cent that nothing balances, and any change of what is there, to the %s', async (who) => {
    await sold();
    const url = who === 'service' ? bench.url('reconciliation') : bench.adminUrl;
    const { db, close } = openDatabase<ReconciliationTables>({ url, poolSize: 1, applicationName: 'spec' }, silent);
    const run = (text: string) => sql.raw(text).execute(db);
    const before = await ledger(bench);
    await expect(run(entry(1, 1))).rejects.toMatchObject({ code: '23514', constraint: 'ledger_entries_zero_sum' });
    await expect(run(entry(1, 0))).rejects.toMatchObject({ code: '23514', constraint: 'ledger_entries_amount_moves' });
    // Two in one transaction that sum to zero in different currencies.
    await expect(
      run(`${entry(1, 1)}, ('txn_planted', 2, 'default', 'refunds', 'eur', -1, 'pi_1', NULL, 'planted', now())`),
    ).rejects.toThrow('txn_planted is not balanced');
    for (const change of [
      'UPDATE reconciliation.ledger_entries SET amount = amount * 2',
      'DELETE FROM reconciliation.ledger_entries',
      'TRUNCATE reconciliation.ledger_entries',
    ])
      await expect(run(change)).rejects.toMatchObject({ code: '42501' });
    expect(await ledger(bench)).toEqual(before);
    await close();
  });
});

describe('A payment', () => {
  it('is a sale that Stripe owes until its balance transaction was read, which comes late and brings the fee', async () => {
    bench.simulator.addFault({ fault: 'late_balance', ms: 3_600_000 });
    await sold();
    await swept(bench);
    expect(await ledger(bench)).toEqual({ 'sales usd': -4200, 'stripe_clearing usd': 4200 });
    expect(await bench.metrics.registry.metrics()).toContain('ledger_fees_pending 1');

    bench.advance(3600);
    await swept(bench);
    expect(await ledger(bench)).toEqual({ 'sales usd': -4200, 'stripe_balance usd': 4200 - FEE, 'stripe_fees usd': FEE });
    expect(await bench.metrics.registry.metrics()).toContain('ledger_fees_pending 0');
  });

  it('is posted once, however often it is told and its balance transaction is read', async () => {
    const payment = await sold();
    await swept(bench);
    const [before, entries] = [await ledger(bench), await entryCount()];
    await tell(bench, { payment, version: 1 });
    await tell(bench, { payment, version: 2 });
    await bench.db.updateTable('balance_sweep').set({ read_to: null }).execute();
    await swept(bench);
    expect([await ledger(bench), await entryCount()]).toEqual([before, entries]);
    expect(await published()).toHaveLength(1);
  });

  it('is told to others as FeeRecorded', async () => {
    const payment = await sold();
    await swept(bench);
    expect((await published()).at(-1)).toMatchObject({
      type: 'fee.recorded',
      tenant: 'default',
      data: {
        payment_id: payment.payment_id,
        payment_intent: payment.stripe_payment_intent,
        amount: 4200,
        fee: FEE,
        net: 4200 - FEE,
        foreign: false,
      },
    });
  });

  it('whose refund fails later has its money back', async () => {
    const payment = await sold();
    bench.simulator.addFault({ fault: 'late_failure', ms: 60_000 });
    await dashboard(bench, 'refund', { payment_intent: payment.stripe_payment_intent, amount: 1000 });
    const id = bench.simulator.truth(['refunds']).refunds[0]!.id;
    await tell(bench, { payment: { ...payment, amount_refunded: 1000, refunds: [refund('succeeded', id)] }, version: 2 });
    await swept(bench);
    expect(await ledger(bench)).toMatchObject({ 'refunds usd': 1000, 'stripe_balance usd': 3200 - FEE });

    bench.advance(60);
    await swept(bench);
    await tell(bench, { payment: { ...payment, refunds: [refund('failed', id)] }, version: 3 });
    expect(await ledger(bench)).toEqual({ 'sales usd': -4200, 'stripe_balance usd': 4200 - FEE, 'stripe_fees usd': FEE });
  });

  it('that was recorded here ahead of its event, as a repair does, is posted when that comes', async () => {
    const payment = await paid(bench);
    const ahead = { tenant: 'default', epoch: 1, version: 3, occurredAt: new Date(payment.updated_at) };
    await bench.db.transaction().execute((tx) => recordPayment(tx, payment, ahead));
    await tell(bench, { payment: { ...payment, status: 'processing', amount_captured: 0 }, version: 2 });
    await tell(bench, { payment, version: 3 });
    expect(await ledger(bench)).toEqual({ 'sales usd': -4200, 'stripe_clearing usd': 4200 });
  });

  it('of another history of payments, after a restore, takes back what that never knew', async () => {
    const payment = await sold();
    await tell(bench, { payment: { ...payment, status: 'unknown', amount_captured: 0 }, version: 1, epoch: 2 });
    expect(await ledger(bench)).toEqual({});
    await tell(bench, { payment, version: 2, epoch: 2 });
    expect(await ledger(bench)).toEqual({ 'sales usd': -4200, 'stripe_clearing usd': 4200 });
  });

  it("that a dispute takes and gives back leaves the dispute's fee", async () => {
    const payment = await sold();
    await dashboard(bench, 'dispute', { payment_intent: payment.stripe_payment_intent });
    const id = bench.simulator.truth(['disputes']).disputes[0]!.id;
    const disputed = (reinstated: number, version: number) => {
      const funds = { currency: 'usd', withdrawn: 4200, reinstated, fee: 1500 };
      const dispute = {
        id,
        status: 'under_review' as const,
        amount: 4200,
        currency: 'usd',
        reason: null,
        charge: null,
        respond_by: null,
        funds,
      };
      return tell(bench, { payment: { ...payment, disputes: [{ ...dispute, created_at: payment.created_at }] }, version });
    };
    await disputed(0, 2);
    await swept(bench);
    expect(await ledger(bench)).toEqual({
      'sales usd': -4200,
      'dispute_losses usd': 4200,
      'stripe_fees usd': FEE + 1500,
      'stripe_balance usd': -FEE - 1500,
    });
    await dashboard(bench, 'close_dispute', { dispute: id, outcome: 'won' });
    await disputed(4200, 3);
    await swept(bench);
    expect(await ledger(bench)).toEqual({ 'sales usd': -4200, 'stripe_fees usd': FEE + 1500, 'stripe_balance usd': 4200 - FEE - 1500 });
  });
});

describe('A movement of the balance', () => {
  it('of a payout leaves for the bank, and comes back when the payout fails', async () => {
    await sold();
    bench.advance(3 * 86_400);
    await dashboard(bench, 'payout', {});
    await swept(bench);
    expect(await ledger(bench)).toEqual({ 'sales usd': -4200, 'stripe_fees usd': FEE, 'payouts usd': 4200 - FEE });
    const id = bench.simulator.truth(['payouts']).payouts[0]!.id;
    await dashboard(bench, 'payout', { payout: id, outcome: 'failed' });
    await swept(bench);
    expect(await ledger(bench)).toEqual({ 'sales usd': -4200, 'stripe_fees usd': FEE, 'stripe_balance usd': 4200 - FEE });
  });

  it('is the tenant’s whose payment it is, also of a refund that names nobody and whose payment is not recorded', async () => {
    const payment = await sold({ tenant: 'other', quietly: true });
    await dashboard(bench, 'refund', { payment_intent: payment.stripe_payment_intent, amount: 1000 });
    await swept(bench);
    expect(await ledger(bench)).toEqual({});
    expect(await ledger(bench, 'other')).toEqual({
      'stripe_balance usd': 3200 - FEE,
      'stripe_fees usd': FEE,
      'stripe_clearing usd': -3200,
    });
  });

  it.each([
    ['adopt', 'the subscription', { 'metadata[tenant_id]': 'other' }, {}],
    ['foreign', 'the subscription', { 'metadata[tenant_id]': 'other' }, {}],
    ['adopt', 'the customer', {}, { 'metadata[tenant_id]': 'other' }],
  ] as const)(
    'of an invoice that payments tells of later is whose it will be there (%s, %s names it)',
    async (unmarked, _, ofSubscription, ofCustomer) => {
      const method = 'pm_card_visa';
      const owner = { payment_method: method, 'invoice_settings[default_payment_method]': method, ...ofCustomer };
      const customer = await atStripe(bench, 'customers', owner);
      const plan = { currency: 'usd', unit_amount: '3000', 'recurring[interval]': 'month', 'product_data[name]': 'Plan' };
      const price = await atStripe(bench, 'prices', plan);
      await atStripe(bench, 'subscriptions', { customer, 'items[0][price]': price, ...ofSubscription });
      await swept(bench, { attribution: { accountTenant: 'default', unmarked } });
      expect(await ledger(bench)).toEqual({});
      expect(await ledger(bench, 'other')).toMatchObject({ 'stripe_clearing usd': -3000 });
    },
  );

  it('of a charge without an intent is nothing that payments could ever tell of', async () => {
    await sold({ marked: false, quietly: true });
    const [charge] = bench.simulator.world.charges.all();
    bench.simulator.world.charges.replace({ ...charge!, payment_intent: null as never });
    await swept(bench);
    expect(await ledger(bench)).toMatchObject({ 'other_movements usd': -4200 });
  });

  it('of what is not ours is kept apart where unmarked objects are foreign', async () => {
    const payment = await sold({ marked: false, quietly: true });
    await dashboard(bench, 'refund', { payment_intent: payment.stripe_payment_intent, amount: 1000 });
    await swept(bench, { attribution: { accountTenant: 'default', unmarked: 'foreign' } });
    expect(await ledger(bench)).toEqual({ 'stripe_balance usd': 3200 - FEE, 'stripe_fees usd': FEE, 'other_movements usd': -3200 });
  });
});

describe('Reading the balance', () => {
  const PAGE = 100;
  const PAGES = 3;

  async function manyMovements(): Promise<void> {
    await sold();
    bench.advance(5);
    const [charge] = bench.simulator.truth(['charges']).charges;
    const [first] = bench.simulator.world.balanceTransactions.all();
    for (let i = 1; i < PAGE * (PAGES - 1) + 20; i += 1)
      bench.simulator.world.balanceTransactions.insert({
        ...first!,
        id: bench.simulator.world.ids.next('txn'),
        amount: i,
        fee: 0,
        net: i,
        source: charge!.id,
      });
  }

  it.each(['before_commit', 'after_commit'])(
    'goes on at the page at which its process ended (%s), and counts nothing twice',
    async (step) => {
      await manyMovements();
      const failpoints = failpointsFrom(`reconciliation.balance.record.${step}:error:2`, FAILPOINTS, silent);
      await expect(readBalance(balanceParts(bench, { failpoints }), new AbortController().signal)).rejects.toThrow(
        'failed this on purpose',
      );
      const done = listCalls();
      await readBalance(balanceParts(bench), new AbortController().signal);
      // Of three pages one is certainly recorded; the second was, or is read again.
      expect(listCalls() - done).toBe(step === 'after_commit' ? 1 : 2);
      const net = bench.simulator.truth(['balance_transactions']).balance_transactions.reduce((sum, one) => sum + one.net, 0);
      expect(await ledger(bench)).toMatchObject({ 'stripe_balance usd': net });
      expect(await published()).toHaveLength(PAGE * (PAGES - 1) + 20);
    },
  );

  it('gives up when Stripe does not answer, says so, and goes on there later', async () => {
    await manyMovements();
    bench.simulator.addFault({ fault: 'error_503', route: 'GET /v1/balance_transactions', nth: 2, times: 50 });
    await readBalance(balanceParts(bench, { patienceMs: 50 }), new AbortController().signal);
    expect(await bench.metrics.registry.metrics()).toContain('job_errors_total{job="ledger",error_type="stripe_unavailable"} 1');
    expect(await published()).toHaveLength(PAGE);
    bench.simulator.clearFaults();
    await readBalance(balanceParts(bench), new AbortController().signal);
    expect(await published()).toHaveLength(PAGE * (PAGES - 1) + 20);
  });

  it('goes on although what waits for its fee cannot be counted', async () => {
    const sales = [await sold(), await sold()];
    bench.advance(5);
    bench.simulator.world.balanceTransactions.remove(bench.simulator.world.balanceTransactions.all().at(-1)!.id);
    await asAdmin('ALTER TABLE reconciliation.balance_sweep ADD CONSTRAINT uncountable CHECK (fees_pending = 0) NOT VALID');
    await expect(swept(bench)).rejects.toThrow('uncountable');
    sales.push(await sold());
    await expect(swept(bench)).rejects.toThrow('uncountable');
    await asAdmin('ALTER TABLE reconciliation.balance_sweep DROP CONSTRAINT uncountable');
    expect(await published()).toHaveLength(sales.length - 1);
  });

  it('reads once more what a clock that was hours ahead has passed over', async () => {
    const ahead = { clock: { now: () => new Date(bench.clock.now().getTime() + 5 * 3_600_000) } };
    await sold();
    await swept(bench, ahead);
    await sold();
    await swept(bench, ahead);
    expect(await published()).toHaveLength(1);
    bench.advance(2 * 3600);
    for (let pass = 0; pass < 2; pass += 1) await swept(bench);
    expect(await published()).toHaveLength(2);
  });

  it('leaves a page to whoever has taken over meanwhile', async () => {
    await manyMovements();
    const signal = new AbortController().signal;
    await Promise.all([readBalance(balanceParts(bench), signal), readBalance(balanceParts(bench), signal)]);
    await readBalance(balanceParts(bench), signal);
    expect(await published()).toHaveLength(PAGE * (PAGES - 1) + 20);
  });
});

describe('The balances', () => {
  const asked = async (query: Record<string, string>, tenant = 'default') => {
    const reply = await answerBalances(bench, routeRequest({ query, tenant }));
    return { status: reply.status, ...(JSON.parse(reply.body) as { data: { account: string; balance: number }[]; fee_pending: number }) };
  };

  it('are those of the tenant, now or at a time, with the sales that wait for their fee', async () => {
    await sold();
    await sold({ tenant: 'other' });
    const early = new Date(bench.clock.now().getTime() - 60_000).toISOString();
    bench.advance(60);
    expect((await asked({})).fee_pending).toBe(1);
    await swept(bench);
    const { data, ...rest } = await asked({});
    expect(rest).toEqual({ status: 200, fee_pending: 0 });
    expect(data).toContainEqual({
      account: 'stripe_fees',
      object: 'ledger_balance',
      kind: 'expense',
      currency: 'usd',
      debit: FEE,
      credit: 0,
      balance: FEE,
    });
    expect(data).toContainEqual({
      account: 'stripe_clearing',
      object: 'ledger_balance',
      kind: 'asset',
      currency: 'usd',
      debit: 4200,
      credit: 4200,
      balance: 0,
    });
    expect(data.reduce((sum, { balance }) => sum + balance, 0)).toBe(0);
    expect((await asked({ currency: 'eur' })).data).toEqual([]);
    expect((await asked({ before: early })).data).toEqual([]);
    expect((await asked({}, 'nobody')).data).toEqual([]);
    expect((await asked({ currency: 'EUR' })).status).toBe(400);
  });
});

const entryCount = async () => (await sql<{ n: number }>`SELECT count(*) AS n FROM ledger_entries`.execute(bench.db)).rows[0]!.n;

/** FeeRecorded since the last test: the outbox keeps everything. */
async function published(): Promise<{ type: string; tenant: string; data: Record<string, unknown> }[]> {
  const { rows } = await sql<{ body: string }>`
    SELECT convert_from(bytes, 'UTF8') AS body FROM outbox WHERE subject = 'reconciliation.events.fee.recorded.v1'
      AND aggregate IN (SELECT transaction_id FROM ledger_entries) ORDER BY id`.execute(bench.db);
  return rows.map(({ body }) => JSON.parse(body) as { type: string; tenant: string; data: Record<string, unknown> });
}
