import { join } from 'node:path';
import type { PaymentView, ReceiptView } from '@tidegate/contracts/responses';
import type { RecordUsageView } from '@tidegate/contracts/usage';
import { query } from '@tidegate/local-stack/postgres/ping';
import { run } from '@tidegate/local-stack/process/run';
import { serviceNames } from '@tidegate/local-stack/stack/services';
import { eventually } from '@tidegate/test-harness/eventually';
import { type Call } from '../client.js';
import { type Drill } from './drill.js';
import { type Stage } from './stage.js';
import { untilFires } from './until-fires.js';

/** What somebody outside knows of the time before the loss. */
interface Known {
  payments: Map<string, PaymentView>;
  /** Number of the document, by payment, or by payment and refund. */
  numbers: Map<string, string>;
  /** The request of a payment after the backup, which its client repeats. */
  repeated: Omit<Call, 'method'>;
  usage: { customer: string; meter: string; lost: unknown; billed: number };
  epoch: bigint;
}

const known = new WeakMap<Stage, Known>();
const METER = 'drill_restore';
const QUICK = {
  USAGE_REPORT_SECONDS: '0',
  WEBHOOKS_SWEEP_SETTLE_SECONDS: '1',
  RECONCILIATION_QUIET_SECONDS: '0',
  RECONCILIATION_ROLLING_SECONDS: '0',
};

/** Payments, a backup, more of everything, and then the database is gone. The page is followed with a new one; the broker is the one of before. */
export const databaseLost: Drill = {
  env: { '*': QUICK },
  thresholds: { PostgresAway: ['> 30', '> 3'], RequestsHeld: ['> 900', '> 2'] },
  shell: ({ arena: { stack } }) => ({
    BACKUP: backupOf({ stack }),
    RECEIPTS_NATS_URL: stack.natsUrl('receipts'),
    ...Object.fromEntries(serviceNames.map((name) => [`${name.toUpperCase()}_DATABASE_URL`, stack.databaseUrl(name)])),
  }),
  inject: async (stage) => {
    const { arena } = stage;
    const { id: customer } = await ordered<{ id: string }>(stage, {
      path: '/v1/customers',
      key: 'drill-customer',
      body: { name: 'Ada Payer' },
    });
    await arena.atStripe('/v1/billing/meters', { display_name: METER, event_name: METER, 'default_aggregation[formula]': 'sum' });
    await uses(stage, customer, 'before', '10');
    const first = await paid(stage, 'before-1');
    await paid(stage, 'before-2');
    await settled(stage, { documents: 2, billed: 10 });
    await run('tidegate', ['backup', 'create', '--to', backupOf(arena)], {
      env: stage.shellEnv(),
      cwd: arena.stack.dir,
      timeoutMs: 60_000,
    });

    const repeated = paying('after-1');
    await ordered(stage, repeated);
    await paid(stage, 'after-2');
    await paid(stage, 'after-3', { capture_method: 'manual' });
    await ordered(stage, { path: `/v1/payments/${first.id}/refunds`, key: 'after-refund', body: { amount: 700 } });
    const lost = await uses(stage, customer, 'after', '5');
    await settled(stage, { documents: 5, billed: 15 });
    known.set(stage, {
      ...(await recordOf(stage)),
      repeated,
      usage: { customer, meter: METER, lost, billed: 15 },
      epoch: await epochOf(stage),
    });
    await onServer(stage, 'DROP DATABASE tidegate WITH (FORCE)');
  },
  before: async (stage, { section, text }) => {
    const { stack } = stage.arena;
    if (section !== 'Mitigation') return;
    if (text.includes('restore load')) {
      for (const name of serviceNames) await stack.kill(name);
      await onServer(stage, 'CREATE DATABASE tidegate TEMPLATE template0');
    }
    if (text.includes('restore status')) for (const name of serviceNames) await stack.restart(name);
    if (text.includes('restore finish')) await whileHeld(stage);
  },
  after: async (stage) => {
    const before = knownOf(stage);
    await agrees(stage, before);
    const again = await ordered<PaymentView>(stage, before.repeated);
    expectEqual(
      'a repeated request',
      again.id,
      [...before.payments.keys()].find((id) => id === again.id),
    );
    const { accepted } = await ordered<RecordUsageView>(stage, { path: '/v1/usage-events', body: { events: [before.usage.lost] } });
    expectEqual('usage that its sender repeats', accepted, 1);
    await paid(stage, 'restored-1');
    await settled(stage, { documents: 6, billed: before.usage.billed });
    const { numbers } = await recordOf(stage);
    const given = [...numbers.values()];
    expectEqual('numbers of receipts', new Set(given).size, given.length);
    const last = (all: Iterable<string>) =>
      Math.max(...[...all].filter((one) => !one.startsWith('C')).map((one) => Number(one.split('-').at(-1))));
    expectEqual('the next number', last(given), last(before.numbers.values()) + 1);
    if ((await epochOf(stage)) <= before.epoch) throw new Error('The outbox goes on in its epoch of before');
    await stage.arena.inboxesEven();
  },
};

const backupOf = ({ stack }: Pick<Stage['arena'], 'stack'>): string => join(stack.dir, 'backup');

function knownOf(stage: Stage): Known {
  const found = known.get(stage);
  if (found === undefined) throw new Error('Bug: nothing was lost on this stage');
  return found;
}

const paying = (key: string, more: object = {}): Omit<Call, 'method'> => ({
  path: '/v1/payments',
  key: `drill-${key}`,
  body: { amount: 4200, currency: 'usd', payment_method: 'pm_card_visa', ...more },
});
const paid = (stage: Stage, key: string, more: object = {}): Promise<PaymentView> => ordered(stage, paying(key, more));

async function ordered<T>({ arena }: Stage, call: Omit<Call, 'method'>): Promise<T> {
  const { status, body } = await arena.client.send({ ...call, method: 'POST' });
  if (status < 200 || status > 299) throw new Error(`POST ${call.path} answered ${status}: ${body}`);
  return JSON.parse(body) as T;
}

async function uses(stage: Stage, customer: string, id: string, value: string): Promise<object> {
  const event = { id: `drill-${id}`, customer, meter: METER, value, at: new Date().toISOString() };
  await ordered(stage, { path: '/v1/usage-events', body: { events: [event] } });
  return event;
}

/** As an administrator who is connected to no database of Tidegate's. */
async function onServer({ arena }: Stage, sql: string): Promise<void> {
  const url = new URL(arena.stack.databaseUrl());
  url.pathname = '/postgres';
  await query(url.href, sql);
}

/** Every document is made, and Stripe has the usage. */
async function settled(stage: Stage, { documents, billed }: { documents: number; billed: number }): Promise<void> {
  await eventually(
    async () => {
      const receipts = await stage.arena.client.all<ReceiptView>('/v1/receipts');
      expectEqual('documents', receipts.filter(({ status }) => status === 'rendered').length, documents);
      expectEqual('usage at Stripe', await billedFor(stage), billed);
    },
    { timeoutMs: 60_000, everyMs: 250 },
  );
}

async function billedFor({ arena }: Stage): Promise<number> {
  const answer = await fetch(`${arena.stack.urls.simulator}/__truth`);
  const { meter_events } = (await answer.json()) as { meter_events: { event_name: string; payload: { value: string } }[] };
  return meter_events.filter(({ event_name }) => event_name === METER).reduce((sum, { payload }) => sum + Number(payload.value), 0);
}

async function recordOf({ arena }: Stage): Promise<Pick<Known, 'payments' | 'numbers'>> {
  const receipts = await arena.client.all<ReceiptView>('/v1/receipts');
  return {
    payments: new Map((await arena.client.all<PaymentView>('/v1/payments')).map((one) => [one.id, one])),
    numbers: new Map(receipts.map(({ kind, payment, number }) => [`${kind} of ${payment}`, number])),
  };
}

async function epochOf({ arena }: Stage): Promise<bigint> {
  const [row] = await arena.sql<{ epoch: string }>('SELECT epoch::text AS epoch FROM payments.outbox_state');
  return BigInt(row?.epoch ?? '0');
}

/** Requests are held, and that is told, before they are taken again. */
async function whileHeld(stage: Stage): Promise<void> {
  const held = await stage.arena.client.once({ method: 'POST', ...paying('after-1') });
  expectEqual('a request while it is held', [held.status, (JSON.parse(held.body) as { code: string }).code], [503, 'service.on_hold']);
  await untilFires(stage, 'RequestsHeld');
}

/** Our record is Stripe's, and what the world knew of it before. */
async function agrees(stage: Stage, before: Known): Promise<void> {
  const { payments, numbers } = await recordOf(stage);
  const shown = ({ id, status, amount_captured, amount_refunded }: PaymentView) => ({ id, status, amount_captured, amount_refunded });
  const sorted = (all: Iterable<PaymentView>) => [...all].map(shown).sort((a, b) => (a.id < b.id ? -1 : 1));
  expectEqual('payments', sorted(payments.values()), sorted(before.payments.values()));
  expectEqual('numbers', [...numbers].sort(), [...before.numbers].sort());
  const { payment_intents } = await stage.arena.truth();
  const charged = payment_intents.filter(({ status }) => status === 'succeeded').map(({ metadata }) => metadata['payment_id']);
  expectEqual(
    'payments that were charged',
    charged.sort(),
    [...payments.values()]
      .filter(({ status }) => status === 'succeeded')
      .map(({ id }) => id)
      .sort(),
  );
}

function expectEqual(what: string, found: unknown, wanted: unknown): void {
  const [is, should] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (is !== should) throw new Error(`After the restore ${what}: ${is} instead of ${should}`);
}
