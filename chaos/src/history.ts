import { setTimeout as pause } from 'node:timers/promises';
import type { CustomerView, LedgerBalances } from '@tidegate/contracts/responses';
import type { EventReplayView } from '@tidegate/contracts/ops/event-replays';
import { eventually } from '@tidegate/test-harness/eventually';
import { type Arena } from './arena.js';
import { dayOf, reconcile } from './clean-runs.js';
import { type Random, randomFrom } from './seed.js';
import { tellStories } from './story.js';
import { tellUsage } from './tell-usage.js';
import { isReleaseOnly } from './truth.js';

export interface HistoryReport {
  payments: number;
  usageEvents: number;
  outages: number;
  kills: number;
  payouts: number;
  replays: number;
}

const REPLAYED = ['reconciliation-payments', 'reconciliation-stripe-events'] as const;
const SERVICES = ['payments', 'webhooks', 'reconciliation'] as const;

/** What a day brings besides its stories. */
export interface Day {
  stories: number;
  /** For how many hours Stripe takes no usage. */
  away?: number;
  killed?: (typeof SERVICES)[number];
  /** Stripe pays out what is available. */
  paysOut?: boolean;
  /** The consumer whose projection is made anew. */
  replayed?: (typeof REPLAYED)[number];
}

/**
 * Every third day Stripe is away, every other time for longer than it knows an identifier; every fourth a service is killed, every fifth a projection is replayed, and
 * once a week there is a payout.
 */
export const ordinaryDays = (days: number, random: Random): Day[] =>
  Array.from({ length: days }, (_, day) => ({
    stories: day % 3 === 1 ? 4 : 20,
    ...(day % 3 === 1 ? { away: day % 2 === 1 ? 8 : 30 } : {}),
    ...(day % 4 === 2 ? { killed: random.pick(SERVICES) } : {}),
    paysOut: day % 7 === 6,
    ...(day % 5 === 4 ? { replayed: REPLAYED[Math.floor(day / 5) % REPLAYED.length]! } : {}),
  }));

const DAY_SECONDS = 86_400;
const HOUR_MS = 3_600_000;
const CUSTOMERS = 3;

/**
 * Days of ordinary life: payments, refunds, disputes and payouts, usage, some of it late and some taken back, and what the calendar says of each day. At the end the ledger,
 * the counters of usage and what a run over all days says are laid beside Stripe's own books. Throws with what differs.
 */
export async function history(arena: Arena, random: Random, calendar: readonly Day[], say: (line: string) => void): Promise<HistoryReport> {
  const report: HistoryReport = { payments: 0, usageEvents: 0, outages: 0, kills: 0, payouts: 0, replays: 0 };
  const began = await clockOf(arena);
  const user = await users(arena, random);
  for (const [day, { stories, away, killed, paysOut, replayed }] of calendar.entries()) {
    if (away) {
      report.outages += 1;
      await stripeGoes(arena);
    }
    const telling = tellStories(arena, randomFrom(random.below(2 ** 31)), { count: stories, perSecond: 10 });
    if (killed) report.kills += await kill(arena, killed);
    const { created, surprises } = await telling;
    if (surprises.length > 0) throw new Error(`A client saw ${JSON.stringify(surprises.slice(0, 3))}`);
    report.payments += created.length;
    report.usageEvents += await use(arena, random, user);
    if (away) await stripeComesBack(arena, away);
    await people(arena, random, created);
    if (paysOut) report.payouts += await payOut(arena);
    if (replayed) report.replays += await replay(arena, replayed);
    await arena.settled(180_000);
    await usageCertain(arena, Infinity);
    await arena.advance(Math.max(3600, DAY_SECONDS - (away ?? 0) * 3600));
    say(`  day ${day + 1} of ${calendar.length}: ${report.payments} payments, ${report.usageEvents} events of usage`);
  }
  await arena.settled(180_000);
  await agreed(arena, { start_date: dayOf(began - 86_400_000), end_date: dayOf((await clockOf(arena)) + 86_400_000) });
  return report;
}

async function clockOf(arena: Arena): Promise<number> {
  const answer = await fetch(`${arena.stack.urls.simulator}/__clock`);
  return Date.parse(((await answer.json()) as { now: string }).now);
}

/** In the middle of the day's stories; answers 1. */
async function kill(arena: Arena, name: (typeof SERVICES)[number]): Promise<number> {
  await pause(500);
  await arena.stack.kill(name, 1);
  await arena.stack.restart(name, 1);
  return 1;
}

/** Every currency in which anything is available is paid out; answers how many. Throws when Stripe refuses one. */
async function payOut(arena: Arena): Promise<number> {
  const headers = { authorization: `Bearer ${arena.stack.stripe.secretKey}` };
  const answer = await fetch(`${arena.stack.urls.simulator}/v1/balance`, { headers });
  const { available } = (await answer.json()) as { available: { amount: number; currency: string }[] };
  const due = available.filter(({ amount }) => amount > 0);
  for (const { currency } of due) await arena.dashboard('payout', { currency });
  return due.length;
}

const USAGE = 'POST /v1/billing/meter_events';

async function stripeGoes(arena: Arena): Promise<void> {
  for (const route of ['POST /v1/payment_intents', USAGE, 'GET /v1/billing/meters/:id/event_summaries'])
    await arena.fault({ fault: 'reset_after', route, times: 2 });
  for (const route of [USAGE, 'GET /v1/balance_transactions', 'GET /v1/charges'])
    await arena.fault({ fault: 'error_503', route, times: 0 });
}

/** After so many hours, in which answers to usage were lost. */
async function stripeComesBack(arena: Arena, hours: number): Promise<void> {
  await arena.inHaste(() =>
    eventually(async () => {
      const lost = (await arena.faults()).filter(({ fault, route }) => fault === 'reset_after' && route === USAGE);
      if (!lost.every(({ spent }) => spent)) throw new Error('No answer to usage was lost yet');
    }),
  );
  await arena.advance(hours * 3600);
  await usageCertain(arena, (await clockOf(arena)) - DAY_SECONDS * 1000);
  await arena.clearFaults();
  await arena.resetBreakers();
}

/**
 * Until nothing is uncertain that was sent first before an instant (Unix ms). What is must not see a day pass at once: payments hears of the new time a moment after the
 * simulator has it, and would repeat by the old one a call whose identifier is known no longer.
 */
const usageCertain = (arena: Arena, before: number): Promise<void> =>
  arena.inHaste(() =>
    eventually(
      async () => {
        const open = await arena.sql<{ identifier: string; uncertain_since: Date }>(
          `SELECT identifier, uncertain_since FROM payments.usage_reports WHERE state = 'open' AND uncertain_since IS NOT NULL`,
        );
        const waiting = open.filter(({ uncertain_since }) => uncertain_since.getTime() <= before);
        if (waiting.length > 0) throw new Error(`Reports of usage are uncertain: ${JSON.stringify(waiting)}`);
      },
      { timeoutMs: 120_000, everyMs: 100 },
    ),
  );

interface Users {
  customers: string[];
  meters: string[];
}

async function users(arena: Arena, random: Random): Promise<Users> {
  const run = random.below(2 ** 31);
  const customers: string[] = [];
  for (let n = 0; n < CUSTOMERS; n += 1) {
    const made = await arena.client.send({ method: 'POST', path: '/v1/customers', body: {}, key: `history-${run}-${n}` });
    customers.push((JSON.parse(made.body) as CustomerView).id);
  }
  const meters = [`sum_${run}`, `count_${run}`];
  for (const [n, name] of meters.entries())
    await arena.atStripe('/v1/billing/meters', {
      display_name: name,
      event_name: name,
      'default_aggregation[formula]': n === 0 ? 'sum' : 'count',
    });
  return { customers, meters };
}

let named = 0;

/** Usage of the day, some of it of up to five days before, some of it taken back. */
async function use(arena: Arena, random: Random, { customers, meters }: Users): Promise<number> {
  const now = await clockOf(arena);
  const events = Array.from({ length: 12 }, () => {
    const meter = random.pick(meters);
    const takesBack = meter === meters[0] && random.chance(0.1);
    return {
      id: `history-${process.pid}-${(named += 1)}`,
      customer: random.pick(customers),
      meter,
      value: `${takesBack ? '-' : ''}${random.below(1000)}.${random.below(1000)}`,
      at: new Date(now - random.below(random.chance(0.2) ? 120 : 12) * HOUR_MS).toISOString(),
    };
  });
  await tellUsage(arena, events);
  return events.length;
}

/** What Stripe's dashboard is used for; what it refuses is theirs. */
async function people(arena: Arena, random: Random, created: readonly string[]): Promise<void> {
  for (const id of created.filter(() => random.chance(0.2))) {
    const payment = await arena.client.get<{ stripe_payment_intent: string | null; status: string }>(`/v1/payments/${id}`);
    if (payment.status !== 'succeeded') continue;
    const action = random.chance(0.3) ? 'dispute' : 'refund';
    const order = { payment_intent: payment.stripe_payment_intent, ...(action === 'refund' ? { amount: 1 + random.below(200) } : {}) };
    await arena.dashboard(action, order).catch(() => undefined);
  }
}

/** Makes a projection anew and takes it over; answers 1. */
async function replay(arena: Arena, consumer: string): Promise<number> {
  const body = { consumer, reason: 'chaos: a history with replays' };
  const answer = await arena.client.send({ method: 'POST', path: '/v1/ops/event-replays', body });
  const { id } = JSON.parse(answer.body) as EventReplayView;
  await eventually(
    async () => {
      const { status, failure } = await arena.client.get<EventReplayView>(`/v1/ops/event-replays/${id}`);
      if (status === 'failed') throw new Error(`The replay of ${consumer} failed: ${JSON.stringify(failure)}`);
      if (status !== 'done') throw new Error(`The replay of ${consumer} is ${status}`);
    },
    { timeoutMs: 120_000, everyMs: 250 },
  );
  return 1;
}

/** The ledger, the counters and a run, each beside Stripe's own books. */
async function agreed(arena: Arena, days: { start_date: string; end_date: string }): Promise<void> {
  await eventually(
    async () => {
      await arena.advance(120);
      const wrong = [...(await ledgerFaults(arena)), ...(await usageFaults(arena))];
      if (wrong.length > 0) throw new Error(wrong.slice(0, 20).join('\n'));
    },
    { timeoutMs: 240_000, everyMs: 1_000 },
  );
  // Summaries are believed an hour after the last report.
  await arena.advance(2 * 3600);
  await pause(1_000);
  const { rows } = await reconcile(arena, days);
  if (rows.length > 0) throw new Error(`A run over all days named ${rows.length}: ${JSON.stringify(rows.slice(0, 10), null, 2)}`);
}

interface Books {
  balance_transactions: { net: number; fee: number; currency: string }[];
  charges: { amount_captured: number; currency: string; status: string }[];
  refunds: { amount: number; currency: string; status: string; balance_transaction: string | null }[];
  meter_events: { event_name: string; timestamp: number; payload: Record<string, string>; identifier: string; created: number }[];
}

async function booksOf(arena: Arena): Promise<Books> {
  const parts = 'balance_transactions,charges,refunds,meter_events';
  return (await (await fetch(`${arena.stack.urls.simulator}/__truth?only=${parts}`)).json()) as Books;
}

/** Cents by account and currency, ours and those that follow from nothing but Stripe's objects. */
async function ledgerFaults(arena: Arena): Promise<string[]> {
  const { balance_transactions: moved, charges, refunds } = await booksOf(arena);
  const theirs = new Map<string, number>();
  const add = (account: string, currency: string, amount: number) =>
    theirs.set(`${account} ${currency}`, (theirs.get(`${account} ${currency}`) ?? 0) + amount);
  for (const one of moved) {
    add('stripe_balance', one.currency, one.net);
    add('stripe_fees', one.currency, one.fee);
  }
  for (const one of charges) if (one.status === 'succeeded') add('sales', one.currency, -one.amount_captured);
  for (const one of refunds)
    if (!['failed', 'canceled'].includes(one.status) && !isReleaseOnly(one)) add('refunds', one.currency, one.amount);
  const { data } = await arena.client.get<LedgerBalances>('/v1/ledger/balances');
  const ours = new Map(data.map(({ account, currency, balance }) => [`${account} ${currency}`, balance]));
  return [...theirs].flatMap(([name, amount]) =>
    (ours.get(name) ?? 0) === amount ? [] : [`${name}: the ledger has ${ours.get(name) ?? 0}, Stripe ${amount}`],
  );
}

/** Of each customer, meter and hour; Stripe adds up in binary, so to nine places. */
async function usageFaults(arena: Arena): Promise<string[]> {
  const theirs = new Map<string, number>();
  const calls = new Map<string, string[]>();
  for (const { event_name, timestamp, payload, identifier, created } of (await booksOf(arena)).meter_events) {
    const hour = new Date(Math.floor(timestamp / 3600) * HOUR_MS).toISOString();
    const key = `${payload['stripe_customer_id']} ${event_name} ${hour}`;
    theirs.set(key, (theirs.get(key) ?? 0) + (event_name.startsWith('count') ? 1 : Number(payload['value'])));
    calls.set(key, [...(calls.get(key) ?? []), `${identifier} at ${new Date(created * 1000).toISOString()}`]);
  }
  const ours = await arena.sql<{ customer: string; meter: string; hour: Date; value: string; events: number }>(
    'SELECT customer, meter, hour, value::text AS value, events FROM payments.usage_counters',
  );
  return ours.flatMap(({ customer, meter, hour, value, events }) => {
    const key = `${customer} ${meter} ${hour.toISOString()}`;
    const counted = meter.startsWith('count') ? events : Number(value);
    const told = theirs.get(key) ?? 0;
    return Math.abs(counted - told) < 1e-9 * Math.max(1, Math.abs(counted))
      ? []
      : [`${key}: counted ${counted}, at Stripe ${told} by ${(calls.get(key) ?? []).join(', ')}`];
  });
}
