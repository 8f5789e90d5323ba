import 'reflect-metadata';
import { createKey, createTenant } from '@tidegate/gateway/admin/commands';
import { ALL_SCOPES, type Scope } from '@tidegate/gateway/api-key/scopes';
import { gatewaySettings } from '@tidegate/gateway/config';
import { hosted as gateway } from '@tidegate/gateway/hosted';
import { hosted as payments } from '@tidegate/payments/hosted';
import { PaymentsConfig } from '@tidegate/payments/config';
import { receiptsConfig } from '@tidegate/receipts/config';
import { hosted as receipts } from '@tidegate/receipts/hosted';
import { readReconciliationConfig } from '@tidegate/reconciliation/config';
import { hosted as reconciliation } from '@tidegate/reconciliation/hosted';
import { hosted as webhooks } from '@tidegate/webhooks/hosted';
import { WebhooksConfig } from '@tidegate/webhooks/config';
import type { Owner } from '@tidegate/contracts/subjects';
import { openDatabase } from '@tidegate/database/database';
import { connectBroker } from '@tidegate/messaging/connection';
import { serveOutboxRead } from '@tidegate/messaging/outbox-read.rpc';
import { natsPermissions, SERVICES } from '@tidegate/messaging/topology';
import { readConfig } from '@tidegate/service-host/config';
import { type RunningService, startService } from '@tidegate/service-host/host';
import { ensureEndpoints } from '@tidegate/stripe-simulator/webhooks/fixed-endpoints';
import { type Simulator, type SimulatorOptions } from '@tidegate/stripe-simulator/simulator';
import { createLogger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import { natsForTests, type TestNats } from '@tidegate/test-harness/nats';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { simulatorForTests } from '@tidegate/test-harness/simulator';
import pg from 'pg';
import { type Ran, tidegate } from './console.js';

export const SECRET_KEY = 'sk_test_simulator';
export const WEBHOOK_SECRET = 'whsec_operator_world';

/** Gateway, payments and webhooks in this process, or all services, on real Postgres and NATS, with the simulator as Stripe. */
export interface OperatorWorld {
  url: string;
  webhooksUrl: string;
  /** The payments service's own listener, where `/metrics` is. */
  paymentsUrl: string;
  key: string;
  simulator: Simulator;
  database: TestDatabase;
  nats: TestNats;
  /** Lines that payments logged so far. */
  logged: Record<string, unknown>[];
  /** As the administrator. */
  query<Row = Record<string, unknown>>(sql: string, values?: unknown[]): Promise<Row[]>;
  newKey(options: { tenant?: string; scopes?: readonly Scope[] }): Promise<string>;
  /** The command, as the operator of this world. */
  tidegate(line: string | readonly string[], env?: Record<string, string | undefined>): Promise<Ran>;
  /** The same with `--json`: its exit code and document. */
  json<T = Record<string, unknown>>(line: string, env?: Record<string, string>): Promise<{ exitCode: number; value: T }>;
  post<T = Record<string, unknown>>(path: string, body: object, headers?: Record<string, string>): Promise<T>;
  stop(): Promise<void>;
}

export interface OperatorWorldOptions {
  payments?: Record<string, string>;
  webhooks?: Record<string, string>;
  reconciliation?: Record<string, string>;
  simulator?: SimulatorOptions;
  /** Payments go by the simulator's clock, which `simulator.advanceClock` moves. */
  virtualClock?: true;
  /** The simulator delivers its events to the webhooks service. */
  deliveries?: true;
  /** Receipts and reconciliation run, too. */
  whole?: true;
  /** Services that do not run here and whose outbox can be read all the same. */
  outboxOf?: readonly Owner[];
}

const quiet = createLogger({ service: 'operator world', level: 'silent' });

export async function operatorWorld(options: OperatorWorldOptions = {}): Promise<OperatorWorld> {
  const [database, nats, simulator] = await Promise.all([
    postgresForTests(),
    natsForTests({ users: SERVICES.map((user) => ({ user, password: `${user}-in-tests`, permissions: natsPermissions(user) })) }),
    simulatorForTests(options.simulator),
  ]);
  for (const id of ['default', 'other']) await createTenant(database.url, { id, name: id, zone: 'UTC', locale: 'en' });
  const newKey: OperatorWorld['newKey'] = async ({ tenant = 'default', scopes = ALL_SCOPES }) =>
    (await createKey(database.url, { tenant, scopes, livemode: false, expiresAt: null })).key;
  const key = await newKey({});

  const base = (role: string) => ({
    PORT: '0',
    SHUTDOWN_GRACE_SECONDS: '0',
    DATABASE_URL: database.urlFor(role),
    NATS_URL: nats.url(role),
    LOG_LEVEL: 'silent',
  });
  const stripe = { STRIPE_SECRET_KEY: SECRET_KEY, STRIPE_API_BASE: simulator.url };
  const clock: Record<string, string> = options.virtualClock ? { TIDEGATE_CLOCK_URL: `${simulator.url}/__clock` } : {};
  const logged: Record<string, unknown>[] = [];
  const paymentsLog = createLogger({
    service: 'payments',
    destination: { write: (line) => void logged.push(JSON.parse(line) as Record<string, unknown>) },
  });
  const running: RunningService[] = await Promise.all([
    startService({ ...gateway, config: readConfig(gatewaySettings, base('gateway')) }, quiet),
    startService(
      { ...payments, config: readConfig(PaymentsConfig, { ...base('payments'), ...stripe, ...clock, ...options.payments }) },
      paymentsLog,
    ),
    startService(
      {
        ...webhooks,
        config: readConfig(WebhooksConfig, { ...base('webhooks'), ...stripe, STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET, ...options.webhooks }),
      },
      quiet,
    ),
    ...(options.whole
      ? [
          startService({ ...receipts, config: receiptsConfig(base('receipts')) }, quiet),
          startService(
            {
              ...reconciliation,
              config: readReconciliationConfig({ ...base('reconciliation'), ...stripe, ...clock, ...options.reconciliation }),
            },
            quiet,
          ),
        ]
      : []),
  ]);
  const outboxes = await Promise.all((options.outboxOf ?? []).map((owner) => outboxOf(owner, base(owner))));
  const url = running[0]?.url ?? '';
  const paymentsUrl = running[1]?.url ?? '';
  const webhooksUrl = running[2]?.url ?? '';
  if (options.deliveries) ensureEndpoints(simulator.world, [{ url: `${webhooksUrl}/webhooks/stripe`, secrets: [WEBHOOK_SECRET] }]);
  await eventually(async () => {
    for (const service of running) if (!(await fetch(`${service.url}/readyz`)).ok) throw new Error('not ready');
    const served = await fetch(`${url}/v1/payments`, { headers: { authorization: `Bearer ${key}` } });
    if (!served.ok) throw new Error('payments do not answer yet');
  });

  const admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  const run: OperatorWorld['tidegate'] = (line, env) =>
    tidegate(line, { env: { TIDEGATE_URL: url, TIDEGATE_API_KEY: key, TIDEGATE_WEBHOOKS_URL: webhooksUrl, ...env } });
  return {
    url,
    webhooksUrl,
    paymentsUrl,
    key,
    logged,
    simulator,
    database,
    nats,
    newKey,
    query: async <Row>(sql: string, values: unknown[] = []) => (await admin.query(sql, values)).rows as Row[],
    tidegate: run,
    json: async <T>(line: string, env?: Record<string, string>) => {
      const { exitCode, out } = await run(`${line} --json`, env);
      return { exitCode, value: JSON.parse(out) as T };
    },
    post: async <T>(path: string, body: object, headers = {}) => {
      const response = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID(), ...headers },
        body: JSON.stringify(body),
      });
      return (await response.json()) as T;
    },
    async stop() {
      simulator.clearFaults();
      await admin.end();
      await Promise.all([...running, ...outboxes].map((service) => service.stop()));
      await Promise.all([nats.stop(), simulator.close()]);
      await database.drop();
    },
  };
}

async function outboxOf(owner: Owner, { DATABASE_URL, NATS_URL }: { DATABASE_URL: string; NATS_URL: string }) {
  const { db, close } = openDatabase<Record<string, never>>({ url: DATABASE_URL, poolSize: 1, applicationName: `${owner} outbox` }, quiet);
  const broker = await connectBroker({ servers: NATS_URL, name: owner, service: owner, logger: quiet });
  const server = serveOutboxRead(broker, db, owner);
  return {
    async stop() {
      await server.stop();
      await broker.drain();
      await close();
    },
  };
}
