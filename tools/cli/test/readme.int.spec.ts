import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OutboxStatusView } from '@tidegate/contracts/ops/outbox-status';
import type { CheckoutView } from '@tidegate/contracts/responses';
import type { HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { openDatabase } from '@tidegate/database/database';
import { noFailpoints } from '@tidegate/database/failpoints';
import { connectBroker } from '@tidegate/messaging/connection';
import { serveRpc } from '@tidegate/messaging/rpc';
import { SERVICES } from '@tidegate/messaging/topology';
import { answerBalances } from '@tidegate/reconciliation/ledger/balances.rpc';
import { readReconciliationConfig } from '@tidegate/reconciliation/config';
import { answerCreate, answerDiscrepancies, answerGet, answerList } from '@tidegate/reconciliation/run/run.rpc';
import { answerStatus } from '@tidegate/reconciliation/run/status.rpc';
import type { ReconciliationTables } from '@tidegate/reconciliation/tables';
import { createLogger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import { type Command } from 'commander';
import { Cli } from '../src/cli.js';
import { program } from '../src/program.js';
import { processTerminal } from '../src/terminal.js';
import { operatorWorld, type OperatorWorld, SECRET_KEY } from './operator-world.js';
import { receiptsDesk } from './receipts-desk.js';

const README = join(import.meta.dirname, '..', 'README.md');
const [BEGIN, END] = ['<!-- examples: printed by test/readme.int.spec.ts -->', '<!-- end of examples -->'];

const BACKUP = '/tmp/tidegate-backup';

/** One of each command. What changes something is shown as its preview, which changes nothing. */
const EXAMPLES = [
  'stripe check',
  'stripe setup --check',
  'stripe setup --reason "new account"',
  'breaker status',
  'breaker reset stripe --reason "Stripe says it is back"',
  'breaker isolate stripe --reason "audit of the account"',
  'breaker close stripe --reason "audit is over"',
  'payments list --status succeeded',
  'payments show {payment}',
  'payments resolve {payment} --reason "customer asks" --yes',
  'payments stats --hours 2',
  'checkouts list',
  'checkouts show {checkout}',
  'payment-window reconcile --reason "alert on pending checkouts" --yes',
  'payment-window override {checkout} --expire --reason "auction cancelled" --yes',
  'checkouts late-success {checkout} --refund --reason "sold to somebody else"',
  'retries list',
  'retries dead-letter --older-than 2h --reason "customers were told" --yes',
  'subscriptions pending',
  'subscriptions resolve {command} --reason "customer asks" --yes',
  'subscriptions give-up {command} --reason "customer has left"',
  'dead-letters list',
  'dead-letters show {letter}',
  'dead-letters replay --consumer payments-receipts --reason "fixed in 1.4.2"',
  'dead-letters discard {letter} --reason "not needed any more"',
  'receipts list --since 1h',
  'receipts show {receipt}',
  'receipts regenerate {receipt} --reason "template repaired" --yes',
  'receipts resend {receipt} --reason "customer lost it"',
  'receipts verify --since 1h',
  'usage missing-counters',
  'usage stale-counters',
  'usage repair cus_Q3x81kCfT0aB2d api_calls 2026-11-20T10:00:00Z --reason "a month too much"',
  'webhooks list --status failed',
  'webhooks show {event}',
  'webhooks replay --status failed --reason "fixed in 1.4.2"',
  'webhooks replays',
  'webhooks stop-replay {replay} --reason "too many at once"',
  'webhooks resume-replay {replay} --reason "at night"',
  'webhooks sweep --check',
  'webhooks sweep --since 7d --reason "the endpoint was away"',
  'webhooks endpoints',
  'events replay --consumer webhooks-outcomes-payments --dry-run --reason "INC-42"',
  'events list',
  'events show {events}',
  'events swap {events} --reason "INC-42"',
  'events stop {events} --reason "known to be right"',
  'reconcile run --start-date 2026-11-20 --end-date 2026-11-21 --detach',
  'reconcile status',
  'reconcile status {run}',
  'reconcile runs',
  'outbox status',
  'ledger balances',
  'secrets fingerprint',
  'privacy erase --customer {customer} --reason "asked to, ticket 4711"',
  'database migrate --reason "version 0.2.0"',
  `backup create --to ${BACKUP}`,
  `restore load --from ${BACKUP} --receipts-up-to acme/R/2026=1204 --reason "INC-42, disk lost"`,
  'restore receipts --receipts-up-to acme/R/2026=1204 --reason "INC-42, disk lost"',
  'restore hold --since 2026-11-22T01:00:00Z --reason "INC-42, restored from a snapshot"',
  'restore status',
  'restore finish --reason "INC-42"',
  'tenants create acme --name "Acme GmbH" --zone Europe/Berlin --locale de --reason "new customer" --yes',
  'tenants brand acme --legal-line "1 Quay Street, Cork" --tax-id IE1234567X --accent "#1d4f91" --reason "new look" --yes',
  'tenants list',
  'keys create --tenant acme --scopes payments:read,payments:write --reason "web shop" --yes',
  'keys rotate {key} --overlap 2h --reason "yearly rotation" --yes',
  'keys revoke {key} --reason "found in a public repository" --yes',
  'keys list --tenant default',
];

let world: OperatorWorld;
let page: Server;
const RUN = 'rec_5f0c1d2e3a4b5c6d7e8f';
const BEFORE = { previous: 'rec_1a2b3c4d5e6f7a8b', new: 1, persisting: 0, gone: 2 };

let ledger: () => Promise<void>;
let desk: Awaited<ReturnType<typeof receiptsDesk>>;
const printed = new Map<string, string>();
beforeAll(async () => {
  world = await operatorWorld({ payments: { STRIPE_STATUS_URL: await statusPage() }, outboxOf: ['reconciliation'] });
  const ids: Record<string, string> = {
    key: (await world.newKey({})).split('_')[2] ?? '',
    run: RUN,
    letter: await setAside(),
    ...(await toldByStripe()),
  };
  ids['payment'] = (await world.post<{ id: string }>('/v1/payments', { amount: 4200, currency: 'usd', payment_method: 'pm_card_visa' })).id;
  rmSync(BACKUP, { recursive: true, force: true });
  ledger = await bookKeeper();
  desk = await receiptsDesk(world);
  ids['receipt'] = desk.receipt;
  const item = { name: 'Ticket', quantity: 1, unit_amount: 4200 };
  const session = {
    line_items: [item],
    currency: 'usd',
    success_url: 'https://shop.example/thanks',
    cancel_url: 'https://shop.example/cart',
  };
  ids['checkout'] = (await world.post<CheckoutView>('/v1/checkout-sessions', session)).id;
  await unknownUsage();
  ids['customer'] = (await world.post<{ id: string }>('/v1/customers', { email: 'payer@example.com' })).id;
  ids['command'] = await waitingSubscription(ids['customer']);
  for (const example of EXAMPLES) {
    const line = example.replace(/\{(\w+)\}/, (_, name: string) => ids[name] ?? '');
    if (example === 'outbox status') await everythingPublished();
    if (example === 'events list') ids['events'] = await newestReplay();
    if (example.startsWith('checkouts late-success')) await paidLate(ids);
    const { out } = await world.tidegate(line, databaseUrls(example));
    // Two services do not run here.
    printed.set(example, `$ tidegate ${line}\n${out.replace(/^! \w+ does not answer\n/gm, '')}`.trimEnd());
  }
  if (process.env['UPDATE_README'] !== undefined) {
    const text = readFileSync(README, 'utf8');
    const blocks = [...printed.values()].map((block) => `\`\`\`console\n${harmless(block)}\n\`\`\``).join('\n\n');
    writeFileSync(README, `${text.slice(0, text.indexOf(BEGIN) + BEGIN.length)}\n\n${blocks}\n\n${text.slice(text.indexOf(END))}`);
  }
}, 120_000);
afterAll(async () => {
  rmSync(BACKUP, { recursive: true, force: true });
  await ledger?.();
  await desk?.stop();
  page?.closeAllConnections();
  page?.close();
  await world?.stop();
});

/** What works on the database itself has its addresses from the environment. */
const databaseUrls = (example: string): Record<string, string> =>
  /^(database|backup|restore (load|receipts))/.test(example)
    ? Object.fromEntries([
        ['DATABASE_URL', world.database.url],
        ...SERVICES.map((service) => [`${service.toUpperCase()}_DATABASE_URL`, `postgres://${service}:secret@127.0.0.1/tidegate`]),
      ])
    : {};

const everythingPublished = () =>
  eventually(async () => {
    const { value } = await world.json<OutboxStatusView>('outbox status');
    expect(value.data.map(({ unpublished }) => unpublished)).toEqual([0, 0]);
  });

/** Stripe's status page on a good day. */
async function statusPage(): Promise<string> {
  const body = { page: { updated_at: '2026-11-21T10:00:00Z' }, status: { indicator: 'none', description: 'All Systems Operational' } };
  page = createServer((_request, response) => response.end(JSON.stringify(body)));
  await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(page.address() as AddressInfo).port}/api/v2/status.json`;
}

/** Reconciliation, as far as its ledger goes (a sale with its fee, and one without) and what it tells of runs, of which one has ended. */
async function bookKeeper(): Promise<() => Promise<void>> {
  await world.query(
    `insert into reconciliation.ledger_entries values
       ('m1', 1, 'default', 'sales', 'usd', -4200, 'pi_1', 'pay_1', 'payment.succeeded', now()),
       ('m1', 2, 'default', 'stripe_clearing', 'usd', 4200, 'pi_1', 'pay_1', 'payment.succeeded', now()),
       ('txn_1', 1, 'default', 'stripe_balance', 'usd', 4048, 'pi_1', 'pay_1', 'fee.recorded', now()),
       ('txn_1', 2, 'default', 'stripe_clearing', 'usd', -4200, 'pi_1', 'pay_1', 'fee.recorded', now()),
       ('txn_1', 3, 'default', 'stripe_fees', 'usd', 152, 'pi_1', 'pay_1', 'fee.recorded', now()),
       ('m2', 1, 'default', 'sales', 'usd', -900, 'pi_2', 'pay_2', 'payment.succeeded', now()),
       ('m2', 2, 'default', 'stripe_clearing', 'usd', 900, 'pi_2', 'pay_2', 'payment.succeeded', now())`,
  );
  await world.query(
    `insert into reconciliation.runs (run_id, tenant, status, mode, start_date, end_date, reason, actor, request_hash, pages, objects, counts, created_at, finished_at,
       trigger, period_start, period_end, comparison, of_tenants)
     values ($1, '*', 'succeeded', 'report', '2026-11-17', '2026-11-20', 'daily', 'service:reconciliation', 'x', 412, 40950, $2, $4, $4, 'daily', '2026-11-17', '2026-11-21', $3, $5)`,
    [
      RUN,
      { refund_mismatch: 1, fee_pending: 3 },
      BEFORE,
      '2026-11-20T02:01:12Z',
      { default: { counts: { refund_mismatch: 1 }, comparison: BEFORE } },
    ],
  );
  await world.query(
    `insert into reconciliation.discrepancies (run_id, number, tenant, class, object, payment_id, stripe_id, remote, first_seen, found_at, proposed_repair, applied, reason)
     values ($1, 1, 'default', 'refund_mismatch', 'refund', 'pay_4f1c2b7a9d3e5f60', 're_3Example', 'succeeded 700 usd', now(), now(), 'look_up', false, 'report only')`,
    [RUN],
  );
  const logger = createLogger({ service: 'reconciliation', level: 'silent' });
  const url = world.database.urlFor('reconciliation');
  const { db, close } = openDatabase<ReconciliationTables>({ url, poolSize: 1, applicationName: 'book keeper' }, logger);
  const broker = await connectBroker({ servers: world.nats.url('reconciliation'), name: 'book-keeper', service: 'reconciliation', logger });
  const clock = { now: () => new Date(Date.now() + 1000) };
  const serve = (subject: RpcSubject, answer: (request: unknown) => Promise<HttpReply>) =>
    serveRpc(broker, subject, 'reconciliation', answer);
  const runs = { db, clock, logger, failpoints: noFailpoints, requested: () => undefined };
  const config = readReconciliationConfig({ DATABASE_URL: url, NATS_URL: world.nats.url('reconciliation'), STRIPE_SECRET_KEY: SECRET_KEY });
  const served = [
    serve(RPC.ledgerBalances, (request) => answerBalances({ db, clock }, request)),
    serve(RPC.runCreate, (request) => answerCreate(runs, request)),
    serve(RPC.runGet, (request) => answerGet(runs, request)),
    serve(RPC.runList, (request) => answerList(runs, request)),
    serve(RPC.runDiscrepancies, (request) => answerDiscrepancies(runs, request)),
    serve(RPC.operatorReconciliation, () => answerStatus({ db, clock, config })),
  ];
  return async () => {
    for (const one of served) await one.stop();
    await broker.drain();
    await close();
  };
}

const newestReplay = async (): Promise<string> =>
  (await world.json<{ data: { id: string }[] }>('events list --limit 1')).value.data[0]?.id ?? '';

async function setAside(): Promise<string> {
  await world.query(
    `insert into payments.inbox (consumer, generation, message_id, epoch, aggregate, subject, bytes, state, reason, failures, first_failed_at)
     values ('payments-receipts', 1, gen_random_uuid(), 1, 'pay_4f1c2b7a9d3e5f60', 'receipts.events.receipt.issued.v1', '{}', 'dead', 'a bug in 1.4.1', 1, now())`,
  );
  const { value } = await world.json<{ data: { id: string }[] }>('dead-letters list');
  return value.data[0]?.id ?? '';
}

/** A request about a subscription while Stripe has that customer locked. */
async function waitingSubscription(customer: string): Promise<string> {
  world.simulator.addFault({ fault: 'lock_timeout', route: 'POST /v1/subscriptions', times: 0 });
  const headers = { authorization: `Bearer ${world.key}`, 'content-type': 'application/json', 'idempotency-key': 'subscription' };
  await fetch(`${world.url}/v1/subscriptions`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ customer, items: [{ price: 'price_plan' }] }),
  });
  const { value } = await world.json<{ data: { id: string }[] }>('subscriptions pending');
  return value.data[0]?.id ?? '';
}

/** As if the checkout had been paid by that payment after its end. */
const paidLate = ({ checkout, payment }: Record<string, string>) =>
  world.query(
    `update payments.checkouts set status = 'complete', late_success = 'held', payment_id = $2, window_ends_at = now() - interval '20 minutes' where id = $1`,
    [checkout, payment],
  );

/** Of a customer who is not here, and of one whose hour nobody has compared. */
async function unknownUsage(): Promise<void> {
  const at = new Date().toISOString();
  await world.post('/v1/usage-events', {
    events: [{ id: 'use-1', customer: 'cus_P9rT2mB3x7Kc1q', meter: 'api_calls', value: '12.5', at }],
  });
  await world.query(
    `insert into payments.usage_counters (customer, meter, hour, tenant, value, events, last_value, last_at, sent, settled_events, updated_at)
     values ('cus_Q3x81kCfT0aB2d', 'api_calls', date_trunc('hour', now() - interval '26 hours'), 'default', 4200, 17, 1, now() - interval '26 hours', 4200, 17,
       now() - interval '25 hours')`,
  );
}

/** An event that a consumer gave up, and a replay that was stopped. */
async function toldByStripe(): Promise<{ event: string; replay: string }> {
  const [event, replay, object] = ['evt_1QpT0mB3x7Kc', 'rpl_5f0c1d2e3a4b5c6d7e8f', 'pi_4f1c2b7a9d3e5f60'];
  // Some commands look back a day, and some an hour.
  const created = new Date(Date.now() - 2 * 3_600_000).toISOString();
  const payload = {
    id: event,
    object: 'event',
    data: { object: { object: 'payment_intent', id: object, status: 'succeeded', amount: 4200, currency: 'usd' } },
  };
  await world.query(
    `insert into webhooks.stripe_events (stripe_event_id, created, event_type, object_id, livemode, api_version, payload, source, received_at, published_at, processing_outcome, processing_error, attempts, processed_at)
     values ($1, $2, 'payment_intent.succeeded', $3, false, '2026-10-28.endive', convert_to($4, 'UTF8'), 'webhook', $2, $2, 'failed', 'payments-stripe-events: a bug in 1.4.1', 1, $2)`,
    [event, created, object, JSON.stringify(payload)],
  );
  await world.query(
    `insert into webhooks.stripe_event_outcomes (created, stripe_event_id, consumer, outcome, reason, reported_at) values ($1, $2, 'payments-stripe-events', 'failed', 'a bug in 1.4.1', $1)`,
    [created, event],
  );
  await world.query(
    `insert into webhooks.replay_jobs (id, status, filter, actor, reason, matched, more, taken, ordered_at)
     values ($1, 'stopped', '{"status":"failed"}', 'H1KUN6ji8rJb', 'fixed in 1.4.2', 450, false, 200, $2)`,
    [replay, created],
  );
  return { event, replay };
}

/** Nothing that looks like a key stays in a file. */
const harmless = (text: string): string => text.replace(/tg_test_\w+/g, 'tg_test_…').replace(/whsec_\w+/g, 'whsec_…');

/** What is another one each time, told alike. */
const likened = (text: string): string[] =>
  harmless(text)
    .replace(/\b(cus|pay|pi|re|rec|rcp|ch|cks|we|req|cs_test|acct|evt|rpl|swp|sbc)_\w+/g, 'ID')
    .replace(/(dl|evr)_[\w-]+/g, 'ID')
    .replace(/\b(payments|webhooks|gateway|receipts|reconciliation)-\d+-\d+-[0-9a-f]+/g, 'PROCESS')
    .replace(/https?:\/\/\S+/g, 'URL')
    .replace(/sha256:[0-9a-f]{8}/g, 'FINGERPRINT')
    .replace(/\b[0-9a-f]{64}\b/g, 'HASH')
    .replace(/@[0-9a-f]{12}\b/g, '@HASH')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, 'TIME')
    .replace(/\b[0-9A-Za-z]{12}\b(?=\s|$|\.|,)/g, 'KEY')
    .replace(/-?\d+(\.\d+)?/g, 'N')
    .replace(/N [smhd]( N [smhd])?/g, 'N s')
    // When it is tried next: a command that waits is due within seconds.
    .replace(/(?<=rate_limited\s+N s\s+N\s+)(TIME|now)\b/, 'SOON')
    .replace(/[ \t]+/g, ' ')
    .split('\n')
    .map((line) => line.trim());

describe('The README', () => {
  it.each(EXAMPLES)('shows what `tidegate %s` prints', (example) => {
    const readme = readFileSync(README, 'utf8');
    const blocks = [...readme.matchAll(/```console\n([\s\S]*?)\n```/g)].map((match) => likened(match[1] ?? ''));
    const [command, ...lines] = likened(printed.get(example) ?? '');
    const block = blocks.find(([first]) => first === command);
    expect(block).toBeDefined();
    expect(block).toEqual(expect.arrayContaining(lines));
  });

  it('has an example of every command there is', () => {
    const leaves = (command: Command, path: string[]): string[] =>
      command.commands.length === 0 ? [path.join(' ')] : command.commands.flatMap((one) => leaves(one, [...path, one.name()]));
    const commands = leaves(program(new Cli(processTerminal())), []);
    expect(commands.filter((name) => !EXAMPLES.some((example) => example === name || example.startsWith(`${name} `)))).toEqual([]);
    expect(commands.length).toBeGreaterThan(20);
  });
});

describe('The help', () => {
  it('of every command says what it does and how it may end', async () => {
    const { exitCode, out } = await world.tidegate('--help');
    expect([exitCode, out]).toEqual([0, expect.stringContaining('Exit codes: 0 fine, 1 failed or not done, 2 found something')]);
    for (const example of EXAMPLES) {
      const [noun, verb] = example.split(' ');
      const help = await world.tidegate(`${noun} ${verb} --help`);
      expect([help.exitCode, help.out]).toEqual([0, expect.stringContaining('--json')]);
    }
  });

  it('is pointed at when something is misspelt', async () => {
    const { exitCode, err } = await world.tidegate('payment list');
    expect([exitCode, err]).toEqual([1, expect.stringMatching(/unknown command 'payment'[\s\S]*Did you mean payments/)]);
  });
});
