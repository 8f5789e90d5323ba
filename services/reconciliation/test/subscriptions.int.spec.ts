import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DiscrepancyView, RunView } from '@tidegate/contracts/responses';
import { invoiceSnapshot, seenInvoice } from '@tidegate/payments/invoice/invoice.seen';
import { seenSubscription, subscriptionSnapshot } from '@tidegate/payments/subscription/subscription.seen';
import { recordInvoice, recordSubscription } from '../src/projection/recorded-billing.store.js';
import type { RepairAnswer, RepairRequest } from '../src/repair/repair.port.js';
import type { RunParts } from '../src/run/run.flow.js';
import { runOnce } from '../src/run/run.loop.js';
import { answerCreate, answerDiscrepancies, answerGet } from '../src/run/run.rpc.js';
import {
  AskedPayments,
  clean,
  dashboard,
  must,
  openWorkbench,
  record,
  routeRequest,
  runParts,
  snapshot,
  type Workbench,
} from './workbench.js';

let bench: Workbench;
let version = 0;
const never = new AbortController().signal;

beforeAll(async () => {
  bench = await openWorkbench({ balanceDelayMs: 3_600_000 });
}, 60_000);
beforeEach(() => bench.clear());
afterAll(() => bench.shutDown());

async function atStripe(path: string, form: Record<string, string> = {}, method = 'POST'): Promise<string> {
  const headers = { authorization: 'Bearer sk_test_simulator0000' };
  const body = method === 'POST' ? { body: new URLSearchParams(form) } : {};
  const answer = await fetch(`${bench.simulator.url}/v1/${path}`, { method, headers, ...body });
  return ((await answer.json()) as { id: string }).id;
}

const position = () => ({ tenant: 'default', epoch: 1, version: (version += 1), occurredAt: bench.clock.now() });
const look = <S>(object: S) => {
  const at = new Date(bench.clock.now().getTime() - 1000).toISOString();
  return { object, tenant: 'default', livemode: false, seen_at: at, changed_at: at, status_since: at, published: version + 1 };
};

/** As payments publishes it after asking Stripe. */
async function know(id: string): Promise<RepairAnswer> {
  if (id.startsWith('sub_')) {
    const told = subscriptionSnapshot(look(seenSubscription(must(await bench.stripe.retrieveSubscription(id)))));
    await bench.db.transaction().execute((tx) => recordSubscription(tx, told, position()));
    return { kind: 'asked' };
  }
  const outcome = await bench.stripe.retrieveInvoice(id);
  const deleted = outcome.kind === 'not_found';
  const told = deleted ? { status: 'deleted' } : invoiceSnapshot(look(seenInvoice(must(outcome))));
  if ('invoice_id' in told) await bench.db.transaction().execute((tx) => recordInvoice(tx, told, position()));
  else await bench.db.updateTable('recorded_invoices').set(told).where('invoice_id', '=', id).execute();
  return { kind: 'asked' };
}

/** Payments as the service that looks things up at once. */
class Payments extends AskedPayments {
  override async lookUp(request: RepairRequest): Promise<RepairAnswer> {
    await super.lookUp(request);
    return know(request.stripe_subscription ?? request.stripe_invoice ?? '');
  }
}

async function subscribe(form: Record<string, string> = {}, method = 'pm_card_visa'): Promise<{ id: string; invoice: string }> {
  const owner = { payment_method: method, 'invoice_settings[default_payment_method]': method };
  const customer = await atStripe('customers', owner);
  const plan = { currency: 'usd', unit_amount: '3000', 'recurring[interval]': 'month', 'product_data[name]': 'Plan' };
  const body = { customer, 'items[0][price]': await atStripe('prices', plan), 'metadata[tenant_id]': 'default', ...form };
  const id = await atStripe('subscriptions', body);
  return { id, invoice: must(await bench.stripe.retrieveSubscription(id)).latest_invoice ?? '' };
}

/** Known here with its invoice and the payment of that. */
async function known(form: Record<string, string> = {}, method?: string): Promise<{ id: string; invoice: string }> {
  const made = await subscribe(form, method);
  await know(made.id);
  await know(made.invoice);
  for (const intent of must(await bench.stripe.retrieveInvoice(made.invoice)).payment_intents) await knowPayment(intent);
  return made;
}

async function knowPayment(intent: string): Promise<void> {
  const { amount, amount_received, status } = must(await bench.stripe.retrieveIntent(intent));
  const ours = status === 'succeeded' ? 'succeeded' : status === 'requires_action' ? 'requires_action' : 'requires_payment_method';
  const money = { amount, amount_captured: amount_received, stripe_payment_intent: intent };
  await record(bench, snapshot(bench, { ...money, status: ours, origin: 'subscription' }));
}

async function reconcile(changes: Partial<RunParts> = {}, mode: 'report' | 'repair' = 'report', tenant = 'default') {
  const api = { ...runParts(bench), requested: () => undefined };
  const day = bench.clock.now().toISOString().slice(0, 10);
  const asked = await answerCreate(api, routeRequest({ tenant, body: { start_date: day, end_date: day, mode, reason: 'spec' } }));
  const { id } = RunView.parse(JSON.parse(asked.body));
  await runOnce(runParts(bench, changes), never);
  const run = RunView.parse(JSON.parse((await answerGet(api, routeRequest({ tenant, params: { id } }))).body));
  const page = JSON.parse((await answerDiscrepancies(api, routeRequest({ tenant, params: { id } }))).body) as { data: unknown[] };
  return { run, rows: page.data.map((row) => DiscrepancyView.parse(row)) };
}

/** Repaired by payments, and then all agree. */
async function heals(asked: object[]): Promise<void> {
  const repair = new Payments();
  const { rows } = await reconcile({ repair }, 'repair');
  expect(rows.map((row) => row.applied)).toEqual(asked.map(() => true));
  expect(repair.requests).toMatchObject(asked);
  expect((await reconcile()).run.counts).toEqual(clean);
}

describe('Subscriptions and invoices', () => {
  it('in every state agree when payments has told of them', async () => {
    await known();
    await known({ trial_period_days: '7' });
    await known({ collection_method: 'send_invoice', days_until_due: '30' });
    await known({}, 'pm_card_chargeCustomerFail');
    await known({}, 'pm_card_threeDSecure2Required');
    const over = await known();
    await atStripe(`subscriptions/${over.id}`, {}, 'DELETE');
    await know(over.id);
    const { run, rows } = await reconcile();
    expect([run.counts, rows]).toEqual([clean, []]);
  });

  it('subscription_mismatch: one in another state at Stripe, silently', async () => {
    const { id } = await known();
    await known();
    await dashboard(bench, 'edit', { id, changes: { status: 'past_due' }, silent: true });
    const { run, rows } = await reconcile();
    expect(run.counts).toEqual({ ...clean, subscription_mismatch: 1 });
    expect(rows).toMatchObject([{ object: 'subscription', stripe_id: id, proposed_repair: 'look_up' }]);
    expect(rows[0]?.local).toMatch(/^active: 1 price_.* until /);
    expect(rows[0]?.remote).toMatch(/^past_due: 1 price_.* until /);
    await heals([{ stripe_subscription: id }]);
  });

  it('subscription_mismatch: one that nobody told us of', async () => {
    const { id, invoice } = await subscribe({ trial_period_days: '7' });
    await know(invoice);
    const { run, rows } = await reconcile();
    expect(run.counts).toEqual({ ...clean, subscription_mismatch: 1 });
    expect(rows).toMatchObject([{ stripe_id: id, local: null, remote: expect.stringMatching(/^trialing/) }]);
    await heals([{ stripe_subscription: id }]);
  });

  it('subscription_mismatch: another period in our table, and one that Stripe does not know, which needs a person', async () => {
    const { id } = await known();
    await bench.db.updateTable('recorded_subscriptions').set({ cancel_at_period_end: true }).where('subscription_id', '=', id).execute();
    expect((await reconcile()).rows).toMatchObject([
      { stripe_id: id, local: expect.stringMatching(/, then over$/), proposed_repair: 'look_up' },
    ]);
    await heals([{ stripe_subscription: id }]);
    await bench.db.updateTable('recorded_subscriptions').set({ subscription_id: 'sub_nobody' }).where('subscription_id', '=', id).execute();
    const { run, rows } = await reconcile();
    expect(run.counts).toEqual({ ...clean, subscription_mismatch: 2 });
    expect(rows.find((row) => row.stripe_id === 'sub_nobody')).toMatchObject({ remote: null, proposed_repair: null });
  });

  it('invoice_mismatch: one that was given up at Stripe, silently', async () => {
    const { invoice } = await known({ collection_method: 'send_invoice', days_until_due: '30' });
    await dashboard(bench, 'edit', { id: invoice, changes: { status: 'uncollectible' }, silent: true });
    const { run, rows } = await reconcile();
    expect(run.counts).toEqual({ ...clean, invoice_mismatch: 1 });
    expect(rows).toMatchObject([{ object: 'invoice', stripe_id: invoice, proposed_repair: 'look_up' }]);
    expect(rows[0]).toMatchObject({
      local: expect.stringMatching(/^open 3000 usd/),
      remote: expect.stringMatching(/^uncollectible 3000 usd/),
    });
    await heals([{ stripe_invoice: invoice }]);
  });

  it('invoice_mismatch: a cent in our table', async () => {
    const { invoice } = await known();
    await bench.db.updateTable('recorded_invoices').set({ amount_paid: 2999 }).execute();
    const { run, rows } = await reconcile();
    expect(run.counts).toEqual({ ...clean, invoice_mismatch: 1 });
    expect(rows).toMatchObject([{ local: 'paid 3000 usd, paid 2999, left 0', remote: 'paid 3000 usd, paid 3000, left 0' }]);
    await heals([{ stripe_invoice: invoice }]);
  });

  it('invoice_mismatch: one that nobody told us of, and a draft that was deleted silently', async () => {
    const customer = await atStripe('customers');
    await atStripe('invoiceitems', { customer, amount: '900', currency: 'usd' });
    const invoice = await atStripe('invoices', { customer, pending_invoice_items_behavior: 'include', auto_advance: 'false' });
    expect((await reconcile()).rows).toMatchObject([{ class: 'invoice_mismatch', stripe_id: invoice, local: null }]);
    await heals([{ stripe_invoice: invoice }]);
    await atStripe(`invoices/${invoice}`, {}, 'DELETE');
    const { run, rows } = await reconcile();
    expect(run.counts).toEqual({ ...clean, invoice_mismatch: 1 });
    expect(rows).toMatchObject([{ stripe_id: invoice, remote: null, proposed_repair: 'look_up' }]);
    await heals([{ stripe_invoice: invoice }]);
  });

  it("that nobody told us of, and their money, are shown to the tenant that their customer names, and not to the account's", async () => {
    const owner = { payment_method: 'pm_card_visa', 'invoice_settings[default_payment_method]': 'pm_card_visa' };
    const customer = await atStripe('customers', { ...owner, 'metadata[tenant_id]': 'other' });
    const { id, invoice } = await subscribe({ customer, 'metadata[tenant_id]': '' });
    const [intent = ''] = must(await bench.stripe.retrieveInvoice(invoice)).payment_intents;
    expect((await reconcile()).rows).toEqual([]);
    const { rows } = await reconcile({}, 'report', 'other');
    expect(rows.map(({ stripe_id }) => stripe_id).toSorted()).toEqual([id, intent, invoice].toSorted());
  });

  it('that nobody told us of, and their money, are shown to the tenant that the subscription names, whose customer names nobody', async () => {
    const { id, invoice } = await subscribe({ 'metadata[tenant_id]': 'other' });
    const [intent = ''] = must(await bench.stripe.retrieveInvoice(invoice)).payment_intents;
    expect((await reconcile()).rows).toEqual([]);
    const { rows } = await reconcile({}, 'report', 'other');
    expect(rows.map(({ stripe_id }) => stripe_id).toSorted()).toEqual([id, intent, invoice].toSorted());
  });

  it('under UNMARKED_INTENTS=foreign those that name no tenant are counted, and the money of the others is missed when it is not known', async () => {
    const rules = { livemode: false, unmarked: 'foreign', accountTenant: 'default' } as const;
    await subscribe({ 'metadata[tenant_id]': '' });
    const ours = await subscribe();
    await know(ours.id);
    await know(ours.invoice);
    const [intent = ''] = must(await bench.stripe.retrieveInvoice(ours.invoice)).payment_intents;
    const { run, rows } = await reconcile({ rules });
    // Subscription, invoice and intent of a stranger, and the intent that nothing but our invoice names.
    expect(run.counts).toEqual({ ...clean, missing_local: 1, foreign: 4, fee_pending: expect.any(Number) });
    expect(rows).toMatchObject([{ object: 'payment', stripe_id: intent, remote: 'paid 3000 usd of an invoice', proposed_repair: 'adopt' }]);
    await knowPayment(intent);
    expect((await reconcile({ rules })).rows).toEqual([]);
  });
});
