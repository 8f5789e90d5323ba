import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setInterval, setTimeout as delay } from 'node:timers/promises';
import type { CheckoutView, CustomerView, PaymentView, ReceiptView } from '@tidegate/contracts/responses';
import { type Stack } from '@tidegate/local-stack/stack/stack';
import { startStack } from '@tidegate/local-stack/stack/start-stack';
import { type StackOptions } from '@tidegate/local-stack/stack/stack-options';
import { eventually } from '@tidegate/test-harness/eventually';
import pg from 'pg';
import type { InvoiceView } from '@tidegate/contracts/invoice';
import type { SubscriptionView } from '@tidegate/contracts/subscription';
import { Client } from './client.js';
import { inboxFaults } from './inboxes.js';
import { COMPARED, type Compared, disagreements, type OurRecord } from './invariants.js';
import { messagesOf, onItsWay, sumOf } from './on-its-way.js';
import { truthOf, type Truth } from './truth.js';

/** One that was ordered, with its counters. */
export interface Fault {
  fault: string;
  route?: string;
  hits: number;
  spent: boolean;
}

/** A whole Tidegate of its own, with its client, its truth and its database, made to be tormented. */
export interface Arena {
  stack: Stack;
  client: Client;
  truth(): Promise<Truth>;
  /** Orders a fault of the simulator, as `POST /__faults` takes it. */
  fault(order: Record<string, unknown>): Promise<void>;
  clearFaults(): Promise<void>;
  /** The faults in force, and how often each has hit. */
  faults(): Promise<Fault[]>;
  /** What an operator does when the key was refused for a time: breakers that are latched, and operations that are held, are let go. */
  resetBreakers(): Promise<void>;
  /** Acts as a person in Stripe's dashboard, as `POST /__dashboard/{action}` takes it. */
  dashboard(action: string, order: Record<string, unknown>): Promise<void>;
  /** Acts as another program with our key: a form posted to Stripe's API. Answers the object. */
  atStripe(path: string, form: Record<string, string>): Promise<{ id: string }>;
  /** Lets so much virtual time pass at once, for the services and for Stripe. Seconds. */
  advance(seconds: number): Promise<void>;
  /** Does `work` while the virtual clock runs fast, so that look-ups and retries come round soon. */
  inHaste<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when every inbox holds each published event once and has handled it; fails with what is still wrong. */
  inboxesEven(withinMs?: number): Promise<void>;
  sql<T extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<T[]>;
  /** Resolves when our record equals the truth and every payment has what it should have; fails with what still differs. */
  settled(withinMs?: number): Promise<OurRecord>;
  close(): Promise<void>;
}

/** Waits that take minutes in production and would make tests slow; the deadlines of a request keep their order. */
const HASTE: Record<string, string> = {
  GATEWAY_ANSWER_MS: '10000',
  PAYMENT_ANSWER_MS: '9000',
  PAYMENT_RUN_MS: '8000',
  REFUND_ABSENCE_SECONDS: '2',
  WEBHOOKS_SWEEP_SECONDS: '2',
  WEBHOOKS_SWEEP_SETTLE_SECONDS: '1',
  RECONCILIATION_STALE_SECONDS: '2',
  RECONCILIATION_QUIET_SECONDS: '1',
  CIRCUIT_BREAKER_FAILURE_THRESHOLD: '1000',
  STRIPE_REQUEST_RATE_LIMIT: '100000',
  STRIPE_MAX_IN_FLIGHT: '1000',
};

export async function openArena(options: Partial<StackOptions> = {}): Promise<Arena> {
  const dir = mkdtempSync(join(tmpdir(), 'tidegate-arena-'));
  const { env = {}, ...rest } = options;
  const stack = await startStack({
    dir,
    fsync: false,
    caller: {},
    ...rest,
    env: {
      ...env,
      // What nobody handles, too: all the more to be got right.
      simulator: { STRIPE_WEBHOOK_EVENTS: '*', ...env['simulator'] },
      '*': { ...HASTE, ...env['*'] },
    },
  });
  const client = new Client(stack.urls.gateway, stack.keys.default);
  const pool = new pg.Pool({ connectionString: stack.databaseUrl(), max: 2 });
  pool.on('error', () => undefined);
  const truth = () => truthOf(stack.urls.simulator);
  const sql = async <T extends pg.QueryResultRow>(text: string, values: unknown[] = []) => (await pool.query<T>(text, values)).rows;
  const inHaste = <T>(work: () => Promise<T>) => whileTimeFlies(stack, work);
  return {
    stack,
    client,
    truth,
    fault: (order) => control(stack, 'POST', '/__faults', order),
    clearFaults: () => control(stack, 'DELETE', '/__faults'),
    faults: () => listFaults(stack),
    resetBreakers: () => resetBreakers(client),
    dashboard: (action, order) => control(stack, 'POST', `/__dashboard/${action}`, order),
    atStripe: (path, form) => postForm(stack, path, form),
    sql,
    advance: (seconds) => advanceClock(stack, seconds),
    inHaste,
    settled: (withinMs = 120_000) => inHaste(() => settled({ client, sql }, () => truthOf(stack.urls.simulator, COMPARED), withinMs)),
    inboxesEven: (withinMs = 120_000) => inboxesEven({ sql }, () => advanceClock(stack), withinMs),
    close: async () => {
      await client.close();
      await pool.end();
      await stack.stop();
      if (!process.env['TIDEGATE_KEEP_ARENA']) rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** With more on its way the records cannot be equal yet: to read all of them would only take the processors from those who work on it. */
const MOST_ON_ITS_WAY = 50;
const LOOK_EVERY_MS = 250;

async function settled(
  { client, sql }: Pick<Arena, 'client' | 'sql'>,
  truth: () => Promise<Compared>,
  withinMs: number,
): Promise<OurRecord> {
  const giveUpAt = Date.now() + withinMs;
  for (;;) {
    while (Date.now() < giveUpAt && sumOf(await onItsWay({ sql })) > MOST_ON_ITS_WAY) await delay(LOOK_EVERY_MS);
    const began = Date.now();
    const record: OurRecord = {
      payments: await client.all<PaymentView>('/v1/payments'),
      receipts: await client.all<ReceiptView>('/v1/receipts'),
      checkouts: await client.all<CheckoutView>('/v1/checkout-sessions'),
      customers: await client.all<CustomerView>('/v1/customers'),
      subscriptions: await client.all<SubscriptionView>('/v1/subscriptions'),
      invoices: await client.all<InvoiceView>('/v1/invoices'),
    };
    const wrong = disagreements(await truth(), record);
    if (wrong.length === 0) return record;
    if (Date.now() > giveUpAt)
      throw new Error(`Not settled after ${withinMs} ms; ${wrong.length} disagreements:\n${wrong.slice(0, 20).join('\n')}`);
    // As long as the look took, so that at least half of the time is theirs who have to settle it.
    await delay(Math.max(LOOK_EVERY_MS, Date.now() - began));
  }
}

/** What comes round with time publishes events of its own: the clock advances seldom here, so that there is quiet in between. */
const ADVANCE_EVERY_MS = 15_000;

async function inboxesEven(arena: Pick<Arena, 'sql'>, advance: () => Promise<void>, withinMs: number): Promise<void> {
  let advanceAt = Date.now() + ADVANCE_EVERY_MS;
  const giveUpAt = Date.now() + withinMs;
  await eventually(
    async () => {
      const faults =
        Date.now() < giveUpAt && sumOf(messagesOf(await onItsWay(arena))) > 0 ? ['messages are on their way'] : await inboxFaults(arena);
      if (faults.length === 0) return;
      if (Date.now() > advanceAt) {
        await advance();
        advanceAt = Date.now() + ADVANCE_EVERY_MS;
      }
      throw new Error(faults.join('\n'));
    },
    { timeoutMs: withinMs, everyMs: LOOK_EVERY_MS },
  );
}

/** Look-ups and retries come round after up to a minute, then five: so much of the virtual clock passes with each second of waiting. */
const IMPATIENCE_SECONDS = 15;

const advanceClock = (stack: Stack, seconds = IMPATIENCE_SECONDS): Promise<void> =>
  control(stack, 'POST', '/__clock', { advance_seconds: seconds });

async function whileTimeFlies<T>(stack: Stack, work: () => Promise<T>): Promise<T> {
  const over = new AbortController();
  const flying = (async () => {
    for await (const _ of setInterval(1_000, undefined, { signal: over.signal })) await advanceClock(stack);
  })().catch(() => undefined);
  try {
    return await work();
  } finally {
    over.abort();
    await flying;
  }
}

async function postForm(stack: Stack, path: string, form: Record<string, string>): Promise<{ id: string }> {
  const answer = await fetch(`${stack.urls.simulator}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${stack.stripe.secretKey}` },
    body: new URLSearchParams(form),
  });
  if (!answer.ok) throw new Error(`POST ${path} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as { id: string };
}

async function listFaults(stack: Stack): Promise<Fault[]> {
  const answer = await fetch(`${stack.urls.simulator}/__faults`);
  if (!answer.ok) throw new Error(`GET /__faults answered ${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { faults: Fault[] }).faults;
}

async function resetBreakers(client: Client): Promise<void> {
  const { data } = await client.get<{ data: { name: string; state: string; held_operations: object[] }[] }>('/v1/ops/breakers');
  for (const { name, state, held_operations } of data)
    if (state === 'auth' || held_operations.length > 0)
      await client.send({ method: 'POST', path: `/v1/ops/breakers/${name}/reset`, body: { reason: 'chaos: the key is good again' } });
}

/** The simulator's control routes. */
async function control(stack: Stack, method: 'POST' | 'DELETE', path: string, order?: Record<string, unknown>): Promise<void> {
  const answer = await fetch(`${stack.urls.simulator}${path}`, {
    method,
    ...(order ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(order) } : {}),
  });
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
}
