import { expect } from '@jest/globals';
import { type CheckoutSnapshot, exampleCheckoutSnapshot } from '@tidegate/contracts/checkout';
import { receiptIssued } from '@tidegate/contracts/events/receipt';
import { type PaymentSnapshot, examplePaymentSnapshot } from '@tidegate/contracts/payment';
import { DISCREPANCY_CLASSES, DiscrepancyView, RunView } from '@tidegate/contracts/responses';
import type { RouteRequest } from '@tidegate/contracts/rpc/routes';
import { type Database, openDatabase } from '@tidegate/database/database';
import { noFailpoints } from '@tidegate/database/failpoints';
import { createStripeAdapter } from '@tidegate/stripe-gateway/adapter';
import type { StripeOutcome } from '@tidegate/stripe-gateway/port';
import { createLogger } from '@tidegate/telemetry/logger';
import { createMetrics } from '@tidegate/telemetry/metrics';
import { postgresForTests } from '@tidegate/test-harness/postgres';
import type { SimulatorOptions } from '@tidegate/stripe-simulator/simulator';
import { simulatorForTests } from '@tidegate/test-harness/simulator';
import { sql } from 'kysely';
import { reconciliationMetrics } from '../src/reconciliation-metrics.js';
import { recordCheckout, recordPayment, recordReceipts } from '../src/projection/recorded.store.js';
import type { ReceiptRequest, RepairAnswer, RepairPort, RepairRequest, UsageRequest } from '../src/repair/repair.port.js';
import type { UsageComparer } from '../src/compare/usage.port.js';
import type { RunParts } from '../src/run/run.flow.js';
import { answerDiscrepancies, answerGet } from '../src/run/run.rpc.js';
import type { ReconciliationTables } from '../src/tables.js';

export const silent = createLogger({ service: 'reconciliation', level: 'silent' });

/** A database as the service sees it, Stripe, and a clock that both share. */
export interface Workbench extends Database<ReconciliationTables> {
  simulator: Awaited<ReturnType<typeof simulatorForTests>>;
  stripe: ReturnType<typeof createStripeAdapter>;
  clock: { now(): Date };
  advance(seconds: number): void;
  metrics: ReturnType<typeof createMetrics>;
  adminUrl: string;
  /** Of the test's database, as that role. */
  url(role: string): string;
  /** As on the first day; the events in the outbox and the runs' events stay, which nobody reads again. */
  clear(): Promise<void>;
  shutDown(): Promise<void>;
}

const TABLES = [
  'recorded_payments',
  'recorded_refunds',
  'recorded_disputes',
  'recorded_checkouts',
  'recorded_subscriptions',
  'recorded_invoices',
  'recorded_receipts',
  'stripe_objects',
  'runs',
  'discrepancies',
  'run_progress',
  'run_seen',
  'run_suspects',
  'repair_requests',
] as const;

export async function openWorkbench(options: SimulatorOptions = {}): Promise<Workbench> {
  const [database, simulator] = await Promise.all([postgresForTests(), simulatorForTests(options)]);
  const opened = openDatabase<ReconciliationTables>(
    { url: database.urlFor('reconciliation'), poolSize: 4, applicationName: 'reconciliation-spec' },
    silent,
  );
  const stripe = createStripeAdapter({ secretKey: ['sk', 'test', 'simulator0000'].join('_'), apiBase: simulator.url, deadlineMs: 2000 });
  let offset = 0;
  return {
    ...opened,
    simulator,
    stripe,
    clock: { now: () => new Date(Date.now() + offset) },
    advance(seconds) {
      simulator.advanceClock(seconds);
      offset += seconds * 1000;
    },
    metrics: createMetrics('reconciliation'),
    adminUrl: database.url,
    url: (role) => database.urlFor(role),
    clear: async () => {
      for (const table of TABLES) await opened.db.deleteFrom(table).execute();
      await emptyLedger(database.url);
      simulator.clearFaults();
      simulator.reset();
      if (offset > 0) simulator.advanceClock(offset / 1000);
    },
    shutDown: async () => {
      stripe.close();
      await simulator.close();
      await opened.close();
      await database.drop();
    },
  };
}

/** Payments as the service that answers look-ups: notes who was asked about. */
export class AskedPayments implements RepairPort {
  readonly requests: RepairRequest[] = [];
  readonly receipts: ReceiptRequest[] = [];
  answer: RepairAnswer | Error = { kind: 'asked' };

  async lookUp(request: RepairRequest): Promise<RepairAnswer> {
    this.requests.push(request);
    if (this.answer instanceof Error) throw this.answer;
    return this.answer;
  }

  readonly usage: UsageRequest[] = [];

  async reportUsage(request: UsageRequest): Promise<RepairAnswer> {
    this.usage.push(request);
    if (this.answer instanceof Error) throw this.answer;
    return this.answer;
  }

  async issueReceipt(request: ReceiptRequest): Promise<RepairAnswer> {
    this.receipts.push(request);
    return { kind: 'asked' };
  }
}

/** An inbox that is up to date, or does this first; a number is how long news waits with payments. */
export const inbox = (caughtUp: () => unknown = () => undefined): RunParts['inbox'] => ({
  caughtUp: async () => {
    const backlogMs = await caughtUp();
    return typeof backlogMs === 'number' ? backlogMs : 0;
  },
  receiptsCaughtUp: async () => undefined,
});

/** Payments where nobody has used anything. */
export const noUsage: UsageComparer = {
  page: async () => ({ kind: 'ok', value: { compared: 0, differences: [], next_cursor: null }, requestId: null }),
  hour: async () => ({ kind: 'ok', value: null, requestId: null }),
  billed: async () => ({ kind: 'ok', value: { compared: 0, differences: [], not_compared: [] }, requestId: null }),
};

/** What a run counts when both sides agree. How many fees are not known yet depends on the time of the day. */
export const clean = { ...Object.fromEntries(DISCREPANCY_CLASSES.map((name) => [name, 0])), foreign: 0, fee_pending: expect.any(Number) };

export function runParts(bench: Workbench, changes: Partial<RunParts> = {}): RunParts {
  return {
    db: bench.db,
    failpoints: noFailpoints,
    clock: bench.clock,
    logger: silent,
    metrics: reconciliationMetrics(bench.metrics, bench.db),
    stripe: bench.stripe,
    inbox: inbox(),
    usage: noUsage,
    repair: new AskedPayments(),
    ledger: { recordFee: () => Promise.reject(new Error('not asked')), replay: () => Promise.reject(new Error('not asked')) },
    rules: { livemode: false, unmarked: 'adopt', accountTenant: 'default' },
    patienceMs: 500,
    deadlineMs: 60_000,
    quietMs: 0,
    roundMs: 10,
    staged: () => undefined,
    succeeded: () => undefined,
    ...changes,
  };
}

/** As nobody else may: entries are append-only. */
export async function emptyLedger(adminUrl: string): Promise<void> {
  const admin = openDatabase<ReconciliationTables>({ url: adminUrl, poolSize: 1, applicationName: 'reconciliation-spec' }, silent);
  await admin.db.transaction().execute(async (tx) => {
    await sql`SET LOCAL session_replication_role = replica`.execute(tx);
    await sql`DELETE FROM reconciliation.ledger_entries`.execute(tx);
    await sql`DELETE FROM reconciliation.ledger_payments`.execute(tx);
    await sql`UPDATE reconciliation.balance_sweep SET read_to = NULL, pass_to = NULL, pass_after = NULL, fees_pending = 0, fees_pending_since = NULL`.execute(
      tx,
    );
  });
  await admin.close();
}

let made = 0;

/** A payment as payments would publish it now. */
export function snapshot(bench: Workbench, changes: Partial<PaymentSnapshot> = {}): PaymentSnapshot {
  made += 1;
  const now = bench.clock.now().toISOString();
  return {
    ...examplePaymentSnapshot,
    payment_id: `pay_${String(made).padStart(12, '0')}`,
    stripe_payment_intent: null,
    stripe_charge: null,
    created_at: now,
    updated_at: now,
    ...changes,
  };
}

let version = 0;

/** Projects a published snapshot, and the receipt that a payment gets when it succeeds. */
export async function record(bench: Workbench, payment: PaymentSnapshot, tenant = 'default'): Promise<void> {
  await recordWithoutReceipt(bench, payment, tenant);
  if (payment.status !== 'succeeded') return;
  const { payment_id, amount_captured: amount, currency, updated_at: issued_at } = payment;
  const receipt = { ...receiptIssued.example, receipt_id: `rcp_${payment_id.slice(4)}`, payment_id, amount, currency, issued_at };
  await bench.db.transaction().execute((tx) => recordReceipts(tx, [{ receipt, tenant }]));
}

export async function recordWithoutReceipt(bench: Workbench, payment: PaymentSnapshot, tenant = 'default'): Promise<void> {
  version += 1;
  const at = { tenant, epoch: 1, version, occurredAt: new Date(payment.updated_at) };
  await bench.db.transaction().execute((tx) => recordPayment(tx, payment, at));
}

/** Projects a published checkout. */
export async function recordOpened(bench: Workbench, checkout: CheckoutSnapshot, tenant = 'default'): Promise<void> {
  version += 1;
  const at = { tenant, epoch: 1, version, occurredAt: new Date(checkout.updated_at) };
  await bench.db.transaction().execute((tx) => recordCheckout(tx, checkout, at));
}

export function must<T>(outcome: StripeOutcome<T>): T {
  if (outcome.kind !== 'ok') throw new Error(`Stripe answered ${JSON.stringify(outcome)}`);
  return outcome.value;
}

/** An intent at Stripe as payments makes them, confirmed unless told otherwise; answers what payments would publish of it. */
export async function paid(
  bench: Workbench,
  options: { amount?: number; tenant?: string; confirm?: boolean; manual?: boolean; marked?: boolean } = {},
): Promise<PaymentSnapshot> {
  const { amount = 4200, tenant = 'default', confirm = true, manual = false, marked = true } = options;
  const ours = snapshot(bench, { amount, capture_method: manual ? 'manual' : 'automatic' });
  const metadata: Record<string, string> = marked ? { payment_id: ours.payment_id, tenant_id: tenant } : {};
  const captureMethod = manual ? 'manual' : 'automatic';
  const intent = must(
    await bench.stripe.createIntent(
      { amount, currency: 'usd', captureMethod, allowRedirects: 'never', metadata },
      `${ours.payment_id}:create`,
    ),
  );
  if (confirm) must(await bench.stripe.confirmIntent(intent.id, { paymentMethod: 'pm_card_visa' }, `${ours.payment_id}:confirm`));
  const status = confirm ? (manual ? 'authorized' : 'succeeded') : 'requires_payment_method';
  return { ...ours, stripe_payment_intent: intent.id, status, amount_captured: status === 'succeeded' ? amount : 0 };
}

/** Made at Stripe by somebody else; answers its id. */
export async function atStripe(bench: Workbench, path: string, form: Record<string, string>): Promise<string> {
  const headers = { authorization: 'Bearer sk_test_simulator0000' };
  const answer = await fetch(`${bench.simulator.url}/v1/${path}`, { method: 'POST', headers, body: new URLSearchParams(form) });
  return ((await answer.json()) as { id: string }).id;
}

/** A page at Stripe as payments opens them; answers what payments would publish of it. */
export async function opened(bench: Workbench, amount = 4200): Promise<CheckoutSnapshot> {
  made += 1;
  const checkout_id = `cks_${String(made).padStart(12, '0')}`;
  const session = must(
    await bench.stripe.createCheckoutSession(
      {
        currency: 'usd',
        lineItems: [{ name: 'Book', quantity: 1, unitAmount: amount }],
        successUrl: 'https://shop.test/paid',
        cancelUrl: 'https://shop.test/cart',
        expiresAt: Math.floor(bench.clock.now().getTime() / 1000) + 23 * 3600,
        metadata: { checkout_id, tenant_id: 'default' },
      },
      `${checkout_id}:open`,
    ),
  );
  const now = bench.clock.now().toISOString();
  return {
    ...exampleCheckoutSnapshot,
    checkout_id,
    status: 'open',
    payment_id: null,
    payment_status: 'unpaid',
    amount,
    stripe_checkout_session: session.id,
    stripe_payment_intent: null,
    created_at: now,
    updated_at: now,
  };
}

export async function dashboard(bench: Workbench, action: string, body: object): Promise<void> {
  const reply = await fetch(`${bench.simulator.url}/__dashboard/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!reply.ok) throw new Error(`dashboard ${action}: ${await reply.text()}`);
}

export const routeRequest = (changes: Partial<RouteRequest>): RouteRequest => ({
  tenant: 'default',
  actor: 'key_1',
  request_id: 'req_1',
  correlation_id: 'req_1',
  route: 'POST /v1/reconciliation/runs',
  params: {},
  query: {},
  idempotency_key: null,
  respond_async: false,
  livemode: false,
  body: null,
  ...changes,
});

/** A run and what it named, as an operator sees them. */
export async function seenRun(bench: Workbench, id: string): Promise<{ run: RunView; rows: DiscrepancyView[] }> {
  const api = { ...runParts(bench), requested: () => undefined };
  const run = RunView.parse(JSON.parse((await answerGet(api, routeRequest({ params: { id } }))).body));
  const page = JSON.parse((await answerDiscrepancies(api, routeRequest({ params: { id } }))).body) as { data: unknown[] };
  return { run, rows: page.data.map((row) => DiscrepancyView.parse(row)) };
}
