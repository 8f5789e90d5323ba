import type { PaymentSnapshot } from '@tidegate/contracts/payment';
import { DiscrepancyView, RunView } from '@tidegate/contracts/responses';
import { noFailpoints } from '@tidegate/database/failpoints';
import type { Incoming } from '@tidegate/messaging/subscriber';
import type { Transaction } from 'kysely';
import type { BalanceParts } from '../src/ledger/balance.loop.js';
import { readBalance } from '../src/ledger/balance.loop.js';
import { ledgerRepair, type LedgerRepairParts } from '../src/ledger/repair.js';
import { balances } from '../src/ledger/balances.query.js';
import { runOnce } from '../src/run/run.loop.js';
import { answerCreate, answerDiscrepancies, answerGet } from '../src/run/run.rpc.js';
import { paymentsProjector } from '../src/projection/payments.consumer.js';
import { reconciliationMetrics } from '../src/reconciliation-metrics.js';
import type { ReconciliationTables } from '../src/tables.js';
import { routeRequest, runParts, silent, type Workbench } from './workbench.js';

type BothParts = BalanceParts & LedgerRepairParts;

export function balanceParts(bench: Workbench, changes: Partial<BothParts> = {}): BothParts {
  return {
    db: bench.db,
    failpoints: noFailpoints,
    clock: bench.clock,
    logger: silent,
    metrics: reconciliationMetrics(bench.metrics, bench.db),
    stripe: bench.stripe,
    attribution: { accountTenant: 'default', unmarked: 'adopt' },
    patienceMs: 500,
    quietMs: 0,
    staged: () => undefined,
    ...changes,
  };
}

/** One pass over Stripe's balance transactions, some seconds later than all that was done. */
export async function swept(bench: Workbench, changes: Partial<BothParts> = {}): Promise<void> {
  bench.advance(5);
  await readBalance(balanceParts(bench, changes), new AbortController().signal);
}

export interface Told {
  payment: PaymentSnapshot;
  version: number;
  tenant?: string;
  epoch?: number;
  at?: Date;
}

/** A message of payments with a snapshot; the same version is the same message. */
export const message = ({ payment, version, tenant = 'default', epoch = 1, at = new Date(payment.updated_at) }: Told): Incoming =>
  ({
    subject: 'payments.events.payment.succeeded.v1',
    messageId: `${payment.payment_id}/${epoch}/${version}`,
    epoch,
    envelope: { tenant, aggregate: { id: payment.payment_id, version }, occurred_at: at.toISOString(), data: payment },
  }) as unknown as Incoming;

/** Handles a message of payments as the consumer does: in the transaction of its inbox row. */
export async function tell(bench: Workbench, told: Told): Promise<void> {
  await bench.db.transaction().execute((tx: Transaction<ReconciliationTables>) => paymentsProjector.handle(tx, message(told), undefined));
}

/** Balances by `account currency`; those of zero are left out. */
export async function ledger(bench: Workbench, tenant = 'default'): Promise<Record<string, number>> {
  const rows = await balances(bench.db, { tenant, currency: null, before: null });
  return Object.fromEntries(
    rows.filter(({ balance }) => balance !== 0).map(({ account, currency, balance }) => [`${account} ${currency}`, balance]),
  );
}

/** A run over the last days in which nothing but the ledger is asked about, and what it named. */
export async function reconciled(
  bench: Workbench,
  days = 1,
  mode: 'report' | 'repair' = 'report',
): Promise<{ counts: Record<string, number>; rows: DiscrepancyView[]; run: RunView }> {
  const parts = runParts(bench, { ledger: ledgerRepair(balanceParts(bench)) });
  const day = (ago: number) => new Date(bench.clock.now().getTime() - ago * 86_400_000).toISOString().slice(0, 10);
  const body = { start_date: day(days), end_date: day(0), mode, classes: ['ledger_imbalance'], reason: 'spec' };
  const { id } = JSON.parse((await answerCreate({ ...parts, requested: () => undefined }, routeRequest({ body }))).body) as RunView;
  await runOnce(parts, new AbortController().signal);
  const get = routeRequest({ params: { id }, query: {} });
  const run = RunView.parse(JSON.parse((await answerGet({ ...parts, requested: () => undefined }, get)).body));
  const page = JSON.parse((await answerDiscrepancies({ ...parts, requested: () => undefined }, get)).body) as { data: unknown[] };
  return { run, counts: run.counts, rows: page.data.map((row) => DiscrepancyView.parse(row)) };
}
