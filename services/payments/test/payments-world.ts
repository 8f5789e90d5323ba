import { type RouteRequest, RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { type PaymentView } from '@tidegate/contracts/responses';
import { openDatabase } from '@tidegate/database/database';
import { type Failpoints, noFailpoints } from '@tidegate/database/failpoints';
import { DEFAULT_BREAKER_RULES, type BreakerRules } from '@tidegate/resilience/breaker';
import { createStripeAdapter } from '@tidegate/stripe-gateway/adapter';
import { createLogger } from '@tidegate/telemetry/logger';
import { createMetrics, type Metrics } from '@tidegate/telemetry/metrics';
import { postgresForTests } from '@tidegate/test-harness/postgres';
import { simulatorForTests } from '@tidegate/test-harness/simulator';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type pg from 'pg';
import { served } from '../src/payment/payment.rpc.js';
import { payments, type PaymentsParts, type PaymentsSettings } from '../src/payments.js';
import { type PaymentsTables } from '../src/tables.js';

export const VISA = 'pm_card_visa';
export const DECLINED = 'pm_card_visa_chargeDeclined';

export type WorldOptions = Partial<Omit<PaymentsSettings, 'breaker'>> & {
  deadlineMs?: number;
  breaker?: BreakerRules;
  replicas?: number;
  /** Each new connection to the database. */
  onConnection?: (client: pg.PoolClient) => void;
  /** Each line of the log. */
  onLine?: (line: string) => void;
};

export interface Request {
  tenant?: string;
  key?: string | null;
  params?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
  respondAsync?: boolean;
}

/** A test would otherwise trip the breaker with the faults it plays. */
const NEVER_OPENS: BreakerRules = { ...DEFAULT_BREAKER_RULES, threshold: 1_000_000 };

const PATHS: Partial<Record<RpcSubject, string>> = {
  [RPC.paymentCreate]: '/v1/payments',
  [RPC.paymentConfirm]: '/v1/payments/{id}/confirm',
  [RPC.paymentCapture]: '/v1/payments/{id}/capture',
  [RPC.paymentCancel]: '/v1/payments/{id}/cancel',
  [RPC.paymentRefund]: '/v1/payments/{id}/refunds',
  [RPC.checkoutExpire]: '/v1/checkout-sessions/{id}/expire',
  [RPC.checkoutWindow]: '/v1/checkout-sessions/{id}/window',
  [RPC.checkoutLateSuccess]: '/v1/checkout-sessions/{id}/late-success',
  [RPC.operatorCheckoutWindow]: '/v1/ops/checkouts/{id}/window',
  [RPC.operatorCheckoutLateSuccess]: '/v1/ops/checkouts/{id}/late-success',
};

let keys = 0;

/** Payments on a real database and the Stripe simulator, without a broker: requests go to the handlers, time passes when `settle` lets it. */
export async function paymentsWorld(options: WorldOptions = {}) {
  const database = await postgresForTests();
  const simulator = await simulatorForTests();
  const { onLine } = options;
  const logger = createLogger({ service: 'payments', ...(onLine ? { destination: { write: onLine } } : { level: 'silent' }) });
  let offsetMs = 0;
  const clock = { now: () => new Date(Date.now() + offsetMs) };
  const opened: { close(): Promise<void> }[] = [];
  const replicas: { parts: PaymentsParts; db: Kysely<PaymentsTables>; metrics: Metrics }[] = [];

  function start(failpoints: Failpoints = noFailpoints) {
    const { db, pool, close } = openDatabase<PaymentsTables>(
      { url: database.urlFor('payments'), poolSize: 10, applicationName: 'payments-test' },
      logger,
    );
    // As in the service: what follows the breakers does not wait behind payments.
    const fleet = openDatabase<PaymentsTables>(
      { url: database.urlFor('payments'), poolSize: 3, applicationName: 'payments-test fleet' },
      logger,
    );
    if (options.onConnection) pool.on('connect', options.onConnection);
    const metrics = createMetrics('payments');
    const adapter = createStripeAdapter({ secretKey: 'sk_test_simulator', apiBase: simulator.url, deadlineMs: options.deadlineMs ?? 400 });
    const parts = payments(
      {
        db,
        stripe: adapter,
        fleetDb: fleet.db,
        keyFingerprint: () => 'sha256:simulator',
        failpoints,
        clock,
        logger,
        metrics,
        instance: `payments-${replicas.length + 1}`,
        random: Math.random,
        onCommitted: () => undefined,
        onWork: () => undefined,
      },
      {
        livemode: false,
        runMs: 5000,
        answerMs: 6000,
        windowMs: 86_400_000,
        absenceMs: 3_600_000,
        unmarked: 'adopt',
        accountTenant: 'default',
        concurrency: 10,
        checkoutWindowMs: 23 * 3_600_000,
        latePolicy: 'accept',
        breaker: NEVER_OPENS,
        requestsPerSecond: 100_000,
        slowMs: 5000,
        maxInFlight: 1000,
        usageReportMs: 10_000,
        ...options,
      },
    );
    opened.push({
      close: async () => {
        await parts.stop();
        adapter.close();
        await fleet.close();
        await close();
      },
    });
    const replica = { parts, db, metrics };
    replicas.push(replica);
    return replica;
  }

  for (let i = 0; i < (options.replicas ?? 1); i += 1) start();
  const first = replicas[0] as (typeof replicas)[number];
  await Promise.all(replicas.map(({ parts }) => parts.start()));

  async function send(subject: RpcSubject, request: Request = {}, replica = 0): Promise<HttpReply> {
    const { parts } = replicas[replica % replicas.length] as (typeof replicas)[number];
    const handler = parts.handlers[subject];
    if (!handler) throw new Error(`Nobody serves ${subject}`);
    const path = (PATHS[subject] ?? subject).replace('{id}', request.params?.['id'] ?? '');
    const route: RouteRequest = {
      tenant: request.tenant ?? 'default',
      actor: 'test',
      request_id: `req_${(keys += 1)}`,
      correlation_id: `cor_${keys}`,
      route: `POST ${path}`,
      params: request.params ?? {},
      query: request.query ?? {},
      idempotency_key: request.key === undefined ? `key_${keys}` : request.key,
      respond_async: request.respondAsync ?? false,
      livemode: false,
      body: request.body ?? {},
    };
    return served(handler, { logger: logger, livemode: false })(route);
  }

  const json = <T = PaymentView>(reply: HttpReply): T => JSON.parse(reply.body) as T;

  async function get(id: string, tenant = 'default'): Promise<PaymentView> {
    return json(await send(RPC.paymentGet, { tenant, params: { id } }));
  }

  function advance(ms: number): void {
    offsetMs += ms;
    simulator.advanceClock(ms / 1000);
  }

  /** Lets time pass until nothing is left to do for any payment, at most `maxMs` of it; whoever holds a lease in a dead replica has lost it by then. */
  async function settle(maxMs = 6 * 3_600_000): Promise<void> {
    const until = clock.now().getTime() + maxMs;
    for (;;) {
      if ((await first.parts.carryOnOnce(60_000)) + (await first.parts.carryOnObjectsOnce(60_000)) > 0) continue;
      const { rows } = await sql<{
        due_at: Date | null;
      }>`SELECT due_at FROM payment_work WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1`.execute(first.db);
      const due = rows[0]?.due_at;
      if (!due || due.getTime() > until) return;
      advance(Math.max(50, due.getTime() - clock.now().getTime() + 1));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  const create = (body: Record<string, unknown> = {}, request: Request = {}, replica = 0) =>
    send(RPC.paymentCreate, { ...request, body: { amount: 4200, currency: 'usd', payment_method: VISA, ...body } }, replica);

  /** A payment in the status that the options lead to. */
  const created = async (body: Record<string, unknown> = {}): Promise<PaymentView> => json(await create(body));

  const asOwner = async (statement: RawBuilder<unknown>): Promise<void> => {
    const owner = openDatabase<PaymentsTables>({ url: database.url, poolSize: 1, applicationName: 'payments-test owner' }, logger);
    await statement.execute(owner.db);
    await owner.close();
  };

  return {
    simulator,
    clock,
    db: first.db,
    parts: first.parts,
    replicas,
    start,
    send,
    json,
    get,
    create,
    created,
    metrics: first.metrics,
    advance,
    settle,
    confirm: (id: string, body: object, key?: string) =>
      send(RPC.paymentConfirm, { params: { id }, body, ...(key === undefined ? {} : { key }) }),
    capture: (id: string, body: object = {}, key?: string) =>
      send(RPC.paymentCapture, { params: { id }, body, ...(key === undefined ? {} : { key }) }),
    cancel: (id: string, body: object = {}, key?: string) =>
      send(RPC.paymentCancel, { params: { id }, body, ...(key === undefined ? {} : { key }) }),
    refund: (id: string, body: object = {}, key?: string, replica = 0) =>
      send(RPC.paymentRefund, { params: { id }, body, ...(key === undefined ? {} : { key }) }, replica),
    /** A series as each replica shows it; `labels` as they stand in the exposition. */
    metric: (name: string, labels = ''): Promise<(number | null)[]> =>
      Promise.all(
        replicas.map(async ({ metrics }) => {
          const series = labels === '' ? `${name} ` : `${name}{${labels}} `;
          const line = (await metrics.registry.metrics()).split('\n').find((one) => one.startsWith(series));
          return line === undefined ? null : Number(line.slice(series.length));
        }),
      ),
    /** What happened to a payment, as REST tells it. */
    timeline: async (id: string) =>
      json<{ data: { type: string; at: string; summary: string; data: Record<string, unknown> }[] }>(
        await send(RPC.paymentEvents, { params: { id } }),
      ).data,
    /** What a person, a bank or a payer does at Stripe. */
    dashboard: async (action: string, body: object): Promise<Record<string, unknown>> => {
      const response = await fetch(`${simulator.url}/__dashboard/${action}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const answer = (await response.json()) as Record<string, unknown>;
      if (response.status !== 200) throw new Error(`The dashboard refused ${action}: ${JSON.stringify(answer)}`);
      return answer;
    },
    /** A request to Stripe's API by somebody else than us: a browser, another program. */
    stripe: async (path: string, params: Record<string, string>): Promise<Record<string, unknown>> => {
      const response = await fetch(`${simulator.url}/v1/${path}`, {
        method: 'POST',
        headers: { authorization: 'Bearer sk_test_simulator', 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(params),
      });
      return (await response.json()) as Record<string, unknown>;
    },
    /** The lines of one metric, as a scrape shows them: labels to value. */
    series: async (name: string): Promise<Record<string, number>> => seriesOf(await first.metrics.registry.metrics(), name),
    /** Has the planner know a table as it is now, which only its owner may. */
    analyze: (table: string) => asOwner(sql`ANALYZE ${sql.table(`payments.${table}`)}`),
    /** Has it know no more of the table than `analyze` told it: the server does not look for itself meanwhile. */
    analyzedByHand: (table: string) => asOwner(sql`ALTER TABLE ${sql.table(`payments.${table}`)} SET (autovacuum_enabled = false)`),
    /** What Stripe holds. */
    truth: () => ({
      intents: simulator.world.paymentIntents.all(),
      charges: simulator.world.charges.all(),
      /** Those that give something back: what released an authorization moves no money. */
      refunds: simulator.world.refunds.all().filter((one) => one.status !== 'succeeded' || one.balance_transaction !== null),
      disputes: simulator.world.disputes.all(),
    }),
    /** Intents of one payment at Stripe. */
    intentsOf: (id: string) => simulator.world.paymentIntents.all().filter((intent) => intent.metadata['payment_id'] === id),
    close: async () => {
      simulator.clearFaults();
      for (const one of opened) await one.close();
      await simulator.close();
      await database.drop();
    },
  };
}

/** `name{status="a"} 1` -> `{ 'status="a"': 1 }`; a series without labels has the key ''. */
function seriesOf(scrape: string, name: string): Record<string, number> {
  const lines = scrape.split('\n').flatMap((line) => {
    const found = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    return found && found[1] === name ? [[found[2] ?? '', Number(found[3]?.replace('Inf', 'Infinity').replace('+', ''))] as const] : [];
  });
  return Object.fromEntries(lines);
}

export type PaymentsWorld = Awaited<ReturnType<typeof paymentsWorld>>;
