import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { ReconciliationStatusView } from '@tidegate/contracts/ops/reconciliation';
import type { CheckoutView, CustomerView, DiscrepancyView, PaymentView, RunView } from '@tidegate/contracts/responses';
import type { SubscriptionView } from '@tidegate/contracts/subscription';
import { eventually } from '@tidegate/test-harness/eventually';
import { tidegate } from './console.js';
import { operatorWorld, type OperatorWorld } from './operator-world.js';

jest.setTimeout(60_000);

let world: OperatorWorld;
beforeAll(async () => {
  world = await operatorWorld({
    whole: true,
    deliveries: true,
    simulator: { balanceDelayMs: 0 },
    payments: { USAGE_REPORT_SECONDS: '1' },
    reconciliation: {
      RECONCILIATION_PATIENCE_SECONDS: '3',
      RECONCILIATION_QUIET_SECONDS: '0',
      RECONCILIATION_STALE_SECONDS: '1',
      RECONCILIATION_CRON: 'off',
      RECONCILIATION_ROLLING_SECONDS: '0',
    },
  });
}, 120_000);
afterAll(() => world?.stop());

interface Done {
  run: RunView;
  data: DiscrepancyView[];
}

async function reconcile(flags = ''): Promise<Done & { exitCode: number }> {
  const { exitCode, value } = await world.json<Done & { result?: Done }>(`reconcile run ${flags}`);
  return { exitCode, ...(value.result ?? value) };
}

async function silently(action: string, body: object): Promise<void> {
  const answer = await fetch(`${world.simulator.url}/__dashboard/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, silent: true }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

const pay = (body: object = {}) =>
  world.post<PaymentView>('/v1/payments', { amount: 4200, currency: 'usd', payment_method: 'pm_card_visa', ...body });

const payment = async (id: string): Promise<PaymentView> =>
  (await (await fetch(`${world.url}/v1/payments/${id}`, { headers: { authorization: `Bearer ${world.key}` } })).json()) as PaymentView;

const checkout = () =>
  world.post<CheckoutView>('/v1/checkout-sessions', {
    line_items: [{ name: 'Ticket', quantity: 1, unit_amount: 4200 }],
    currency: 'usd',
    success_url: 'https://shop.example/thanks',
    cancel_url: 'https://shop.example/cart',
  });

/** In its trial, known on both sides, and nothing on its way that would have Stripe asked about it. */
async function subscription(): Promise<SubscriptionView> {
  const { id: customer } = await world.post<CustomerView>('/v1/customers', { name: 'Ada Payer' });
  const form = { currency: 'usd', unit_amount: '3000', 'recurring[interval]': 'month', 'product_data[name]': 'Plan' };
  const headers = { authorization: 'Bearer sk_test_simulator' };
  const made = await fetch(`${world.simulator.url}/v1/prices`, { method: 'POST', headers, body: new URLSearchParams(form) });
  const { id: price } = (await made.json()) as { id: string };
  const view = await world.post<SubscriptionView>('/v1/subscriptions', { customer, items: [{ price }], trial_days: 7 });
  const told = world.simulator.truth(['events']).events.filter(({ data }) => JSON.stringify(data.object).includes(customer)).length;
  await eventually(async () => {
    const [row] = await world.query<{ handled: number; open: number }>(
      `select (select count(*)::int from webhooks.stripe_events where processing_outcome in ('processed', 'ignored') and convert_from(payload, 'UTF8') like '%' || $1 || '%') as handled,
         (select count(*)::int from payments.payment_work where payment_id in ($2, $3) and (due_at is not null or holder is not null)) as open
       from reconciliation.recorded_invoices where invoice_id = $3`,
      [customer, view.id, view.latest_invoice],
    );
    expect(row).toEqual({ handled: told, open: 0 });
  });
  return view;
}

/** Everything of it is told and handled: the charge's last event, with its balance, would have payments look at Stripe again. */
const receipted = (id: string) =>
  eventually(async () => {
    const { receipt, stripe_payment_intent } = await payment(id);
    expect(receipt).not.toBeNull();
    const reports = await world.query(
      `select o.consumer from webhooks.stripe_events e join webhooks.stripe_event_outcomes o using (created, stripe_event_id)
       where e.event_type = 'charge.updated' and position($1 in encode(e.payload, 'escape')) > 0`,
      [stripe_payment_intent],
    );
    expect(reports).toHaveLength(2);
  });

/** Here as well, and nobody looks at Stripe for it any more, as for one that took its time. */
const authorized = (id: string) =>
  eventually(async () => {
    const [row] = await world.query<{ status: string; open: number }>(
      `select p.status,
         (select count(*)::int from payments.payment_work where payment_id = $1 and (due_at < now() + interval '1 minute' or holder is not null)) as open
       from reconciliation.recorded_payments p where p.payment_id = $1`,
      [id],
    );
    expect(row).toEqual({ status: 'authorized', open: 0 });
  });

/** Runs until both sides agree: what payments was asked for, it does by itself. */
const clean = () =>
  eventually(async () => {
    const { exitCode, data } = await reconcile();
    expect([exitCode, data]).toEqual([0, []]);
  });

/** What disagrees silently, each named by one row. */
const PLANTED: [name: string, plant: () => Promise<void>][] = [
  [
    'status_mismatch',
    async () => {
      const { id, stripe_payment_intent } = await pay({ capture_method: 'manual' });
      await authorized(id);
      await silently('cancel', { payment_intent: stripe_payment_intent });
    },
  ],
  [
    'refund_mismatch',
    async () => {
      const { id, stripe_payment_intent } = await pay();
      await receipted(id);
      await silently('refund', { payment_intent: stripe_payment_intent, amount: 700 });
    },
  ],
  [
    'dispute_mismatch',
    async () => {
      const { id, stripe_payment_intent } = await pay();
      await receipted(id);
      await silently('dispute', { payment_intent: stripe_payment_intent });
    },
  ],
  [
    'checkout_mismatch',
    async () => {
      const { stripe_checkout_session } = await checkout();
      await silently('pay_checkout', { session: stripe_checkout_session });
    },
  ],
  ['subscription_mismatch', async () => void (await silently('edit', { id: (await subscription()).id, changes: { status: 'past_due' } }))],
  [
    'invoice_mismatch',
    async () => void (await silently('edit', { id: (await subscription()).latest_invoice, changes: { attempt_count: 7, status: 'open' } })),
  ],
  [
    'amount_mismatch',
    async () => {
      const { id } = await pay();
      await receipted(id);
      await inOurTables(`update reconciliation.recorded_payments set amount_captured = 4100 where payment_id = $1`, id);
    },
  ],
  [
    'currency_mismatch',
    async () => {
      const { id } = await pay();
      await receipted(id);
      await inOurTables(`update reconciliation.recorded_payments set currency = 'eur' where payment_id = $1`, id);
    },
  ],
  [
    'receipt_missing',
    async () => {
      const { id } = await pay();
      await receipted(id);
      // A rendering in hand would append to what is deleted here.
      await eventually(async () =>
        expect(await world.query(`select status from receipts.receipts where payment_id = $1`, [id])).toEqual([{ status: 'rendered' }]),
      );
      await world.query(`delete from receipts.receipts where payment_id = $1`, [id]);
      await world.query(`alter table receipts.events disable trigger all`);
      await world.query(`delete from receipts.events where stream like '%' || $1`, [id]);
      await world.query(`alter table receipts.events enable trigger all`);
      await inOurTables(`delete from reconciliation.recorded_receipts where payment_id = $1`, id);
    },
  ],
  [
    'usage_mismatch',
    async () => {
      const { id: customer } = await world.post<{ id: string }>('/v1/customers', {});
      await atStripe('billing/meters', { display_name: 'calls', event_name: 'calls', 'default_aggregation[formula]': 'sum' });
      const at = new Date(Date.now() - 3_600_000).toISOString();
      await world.post('/v1/usage-events', { events: [{ id: 'use-1', customer, meter: 'calls', value: '12.5', at }] });
      const identifier = await eventually(async () => {
        const [row] = await world.query<{ identifier: string }>(
          `select identifier from payments.usage_reports where customer = $1 and state = 'delivered'`,
          [customer],
        );
        expect(row).toBeDefined();
        return row!.identifier;
      });
      await atStripe('billing/meter_event_adjustments', { event_name: 'calls', type: 'cancel', 'cancel[identifier]': identifier });
      // Summaries are believed an hour after the last report.
      await world.query(`update payments.usage_reports set last_call_at = last_call_at - interval '2 hours'`);
    },
  ],
  [
    'missing_local',
    async () => {
      world.simulator.addFault({ fault: 'webhook_drop', times: 0 } as never);
      await atStripe('payment_intents', {
        amount: '900',
        currency: 'usd',
        confirm: 'true',
        payment_method: 'pm_card_visa',
        'automatic_payment_methods[enabled]': 'true',
        'automatic_payment_methods[allow_redirects]': 'never',
      });
    },
  ],
];

async function atStripe(path: string, form: Record<string, string>): Promise<void> {
  const answer = await fetch(`${world.simulator.url}/v1/${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk_test_simulator', 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

/** Once the news of the payment have been handled. */
async function inOurTables(statement: string, id: string): Promise<void> {
  await eventually(async () => {
    const [row] = await world.query<{ n: number }>(
      `select count(*)::int as n from reconciliation.recorded_payments p join reconciliation.recorded_receipts r using (payment_id)
       where payment_id = $1 and status = 'succeeded'`,
      [id],
    );
    expect(row?.n).toBe(1);
  });
  await world.query(statement, [id]);
}

describe('What was planted silently', () => {
  it('is named, each by its class and nothing else, healed by a repair, and gone in the next run', async () => {
    await clean();
    for (const [, plant] of PLANTED) await plant();
    // The news of the last one are lost until the end.
    const names = PLANTED.map(([name]) => name).sort();
    const found = await eventually(async () => {
      const run = await reconcile();
      expect(run.data.map((row) => row.class).sort()).toEqual(names);
      return run;
    });
    expect([found.exitCode, new Set(found.data.map((row) => row.applied))]).toEqual([2, new Set([false])]);
    const { exitCode, data } = await reconcile('--repair all --reason "spec" --yes');
    expect(data.map((row) => [row.class, row.state, row.applied, row.reason]).sort()).toEqual(
      names.map((name) => [name, 'persisting', true, null]),
    );
    expect(exitCode).toBe(0);
    await clean();
    world.simulator.clearFaults();
    const [run] = (await world.json<{ data: RunView[] }>('reconcile runs --limit 1')).value.data;
    expect(run?.comparison).toMatchObject({ new: 0, persisting: 0 });
  });

  it('payments that never learnt of their intent are found and healed within two sweeps', async () => {
    // No news come, the answer is lost, and so is the first look for it: payments itself looks again in 5 s.
    world.simulator.addFault({ fault: 'webhook_drop', times: 0 } as never);
    world.simulator.addFault({ fault: 'cut_body', route: 'POST /v1/payment_intents', times: 1 } as never);
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/payment_intents', times: 1 } as never);
    const { id, status } = await pay();
    expect(status).toBe('unknown');
    // Reading it over REST would have it looked up sooner.
    await eventually(async () => {
      const [row] = await world.query(`select status from reconciliation.recorded_payments where payment_id = $1`, [id]);
      expect(row).toEqual({ status: 'succeeded' });
    });
    const [asked] = await world.query<{ asked: number }>(`select asked from reconciliation.repair_requests where payment_id = $1`, [id]);
    expect([1, 2]).toContain(asked?.asked);
    world.simulator.clearFaults();
    await clean();
  });
});

describe('The command', () => {
  it('exports what it found, as CSV and as JSON, and shows status and runs', async () => {
    await clean();
    const { stripe_payment_intent } = await pay({ capture_method: 'manual' });
    await silently('cancel', { payment_intent: stripe_payment_intent });
    const dir = mkdtempSync(join(tmpdir(), 'reconcile-'));
    const [csv, json] = [join(dir, 'rows.csv'), join(dir, 'rows.json')];
    const ran = await world.tidegate(['reconcile', '--report-only', '--export-discrepancies', csv]);
    expect([ran.exitCode, ran.out]).toEqual([2, expect.stringContaining('status_mismatch')]);
    expect(readFileSync(csv, 'utf8')).toMatch(
      /^class,object,[^\r]+\r\nstatus_mismatch,payment,pay_\w+,pi_\w+,authorized,canceled,[^\r]+\r\n$/,
    );
    await world.tidegate(['reconcile', 'run', '--export-discrepancies', json]);
    expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject([{ class: 'status_mismatch', state: 'persisting' }]);
    const piped = await world.tidegate(['reconcile', 'run', '--export-discrepancies']);
    expect([piped.exitCode, piped.out.split('\r\n')[0]]).toEqual([2, expect.stringMatching(/^class,object/)]);

    expect((await world.tidegate('reconcile run --every-tenant')).exitCode).toBe(2);
    const status = await world.json<ReconciliationStatusView>('reconcile status');
    expect([status.exitCode, status.value]).toMatchObject([0, { overdue: false, cron: null, last_success_at: expect.any(String) }]);
    const { value: list } = await world.json<{ data: RunView[] }>('reconcile runs --status succeeded --limit 1');
    expect((await world.json(`reconcile status ${list.data[0]!.id}`)).exitCode).toBe(2);
  });

  it('shows what a run of every tenant found of another tenant to whoever may see that, and nothing of it to others', async () => {
    const { id, stripe_payment_intent } = await pay({ capture_method: 'manual' });
    const isOf = (tenant: string) =>
      world.query(
        `update reconciliation.recorded_payments set tenant = $2 where payment_id = $1 and status = 'authorized' returning payment_id`,
        [id, tenant],
      );
    await eventually(async () => expect(await isOf('other')).toHaveLength(1));
    await silently('cancel', { payment_intent: stripe_payment_intent });
    const rows = async (run: RunView, env?: Record<string, string>) =>
      (await world.json<{ data: DiscrepancyView[] }>(`reconcile status ${run.id}`, env)).value.data.map((row) => row.payment_id);
    const run = await eventually(async () => {
      expect((await world.tidegate('reconcile run --every-tenant')).exitCode).toBe(2);
      const { value } = await world.json<{ data: [RunView] }>('reconcile runs --every-tenant --limit 1');
      expect(value.data[0].every_tenant).toBe(true);
      expect(await rows(value.data[0])).toContain(id);
      return value.data[0];
    });
    expect(await rows(run, { TIDEGATE_API_KEY: await world.newKey({ scopes: ['reconciliation:read'] }) })).not.toContain(id);
    await isOf('default');
  });

  it('says 1 when the run failed, when nobody said yes, and when it was asked for nonsense', async () => {
    world.simulator.addFault({ fault: 'forbidden', route: 'GET /v1/disputes', times: 1 } as never);
    expect((await world.tidegate('reconcile run --repair status_mismatch --reason "spec"')).exitCode).toBe(1);
    expect((await world.tidegate('reconcile run --repair status_mismatch --report-only --reason "spec"')).exitCode).toBe(1);
    expect((await world.tidegate('reconcile run --repair odd --reason "spec"')).exitCode).toBe(1);
    expect((await world.tidegate('reconcile run --detach --export-discrepancies rows.csv')).exitCode).toBe(1);
    expect((await world.tidegate('reconcile run --repair all --export-discrepancies --reason "spec" --yes')).out).toBe('');
    expect((await world.tidegate('reconcile run --start-date soon')).exitCode).toBe(1);
    const reversed = await world.tidegate('reconcile run --start-date 2026-11-21 --end-date 2026-11-20');
    expect([reversed.exitCode, reversed.err]).toEqual([1, expect.stringMatching(/^Failed: The request is not valid: [^:]+: .*\n$/)]);
    world.simulator.clearFaults();
  });

  it('does no run for a file that cannot be written', async () => {
    const newest = async () => (await world.json<{ data: RunView[] }>('reconcile runs --limit 1')).value.data[0]?.id;
    const before = await newest();
    const { exitCode, err } = await world.tidegate('reconcile run --export-discrepancies /nowhere/rows.csv');
    expect([exitCode, err]).toEqual([1, expect.stringMatching(/^Failed: ENOENT: [^\n]*\/nowhere'\.\n$/)]);
    const folder = await world.tidegate('reconcile run --export-discrepancies /tmp');
    expect([folder.exitCode, folder.err]).toEqual([1, 'Failed: /tmp is a folder; name a file to export to.\n']);
    expect(await newest()).toBe(before);
  });

  it('says 1 when a run could not read everything, which has found nothing, and moves along a bar meanwhile', async () => {
    const before = (await world.json<ReconciliationStatusView>('reconcile status')).value.last_success_at;
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/disputes', times: 0 } as never);
    const env = { TIDEGATE_URL: world.url, TIDEGATE_API_KEY: world.key };
    const ran = await tidegate('reconcile run', { env, presses: 'n' });
    expect([ran.exitCode, ran.out]).toEqual([1, expect.stringMatching(/status +failed/)]);
    expect(ran.screen).toMatch(/━[^]*listing: \d+ pages, \d+ objects/);
    world.simulator.clearFaults();
    expect((await world.json<ReconciliationStatusView>('reconcile status')).value.last_success_at).toBe(before);
  });
});

/** How often anybody has asked the gateway for a list of Stripe's events. */
async function looksForEvents(): Promise<number> {
  const text = await (await fetch(`${world.url}/metrics`)).text();
  return Number(/^http_request_duration_seconds_count\{[^}]*route="\/v1\/ops\/webhook-events",[^}]*\} (\d+)$/m.exec(text)?.[1] ?? 0);
}

/** A consumer has said what it made of the slow event. */
async function reported(consumer: string): Promise<void> {
  await world.query(
    `insert into webhooks.stripe_event_outcomes (created, stripe_event_id, consumer, outcome, reported_at)
     select created, stripe_event_id, '${consumer}', 'processed', now() from webhooks.stripe_events where stripe_event_id = 'evt_slow'`,
  );
  await world.query(
    `update webhooks.stripe_events set processing_outcome = 'processed', processed_at = now() where stripe_event_id = 'evt_slow'`,
  );
}

describe('After a restore', () => {
  it('requests are not taken again before what Stripe told of since the backup is handled', async () => {
    await world.tidegate(['restore', 'hold', '--since', new Date(Date.now() - 60_000).toISOString(), '--reason', 'spec', '--yes']);
    await world.query(
      `insert into webhooks.stripe_events (stripe_event_id, created, event_type, object_id, livemode, payload, source, published_at, processing_outcome)
       values ('evt_slow', now(), 'charge.refunded', 'ch_1', false, '{}', 'sweep', now(), 'published')`,
    );
    const impatient = await world.tidegate('restore finish --reason "spec, in haste" --wait 1s --yes');
    expect([impatient.exitCode, impatient.out]).toEqual([2, expect.stringMatching(/requests +stay held[^]*some wait to be handled/)]);
    expect(await world.query(`select status from reconciliation.runs where reason = 'spec, in haste'`)).toContainEqual({
      status: 'succeeded',
    });
    const before = await looksForEvents();
    let ended = false;
    const finishing = world.tidegate('restore finish --reason "spec after a restore" --yes').finally(() => (ended = true));
    await eventually(async () => expect(ended || (await looksForEvents()) > before + 2).toBe(true), { timeoutMs: 30_000 });
    expect(ended).toBe(false);
    expect(await world.query(`select run_id from reconciliation.runs where reason = 'spec after a restore'`)).toEqual([]);
    await reported('payments-stripe-events');
    const looked = await looksForEvents();
    await eventually(async () => expect(ended || (await looksForEvents()) > looked + 2).toBe(true), { timeoutMs: 30_000 });
    expect(ended).toBe(false);
    await reported('reconciliation-stripe-events');
    const { exitCode, out } = await finishing;
    expect([exitCode, out]).toEqual([0, expect.stringMatching(/requests +are taken again/)]);
  });
});
