import { expect } from '@jest/globals';
import type { Failpoints } from '@tidegate/database/failpoints';
import { noFailpoints } from '@tidegate/database/failpoints';
import { type Database, openDatabase } from '@tidegate/database/database';
import { inStatement } from '@tidegate/database/transaction';
import type { Envelope } from '@tidegate/contracts/envelope';
import type { NormalizedStripeEvent } from '@tidegate/contracts/events/stripe-event';
import { type Clock, systemClock } from '@tidegate/service-host/clock';
import { sign, verify } from '@tidegate/stripe-gateway/signature';
import { createLogger, type Logger } from '@tidegate/telemetry/logger';
import { createMetrics } from '@tidegate/telemetry/metrics';
import { eventually } from '@tidegate/test-harness/eventually';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import fastify, { type FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import pg from 'pg';
import { Hints } from '../src/hint/hint.loop.js';
import type { Retriever } from '../src/hint/retrieve.js';
import { Batcher } from '../src/ingest/batcher.js';
import { insertFault } from '../src/ingest/insert-fault.js';
import { ReceiveDelivery } from '../src/ingest/receive.flow.js';
import { WEBHOOK_PATH, webhookRoute } from '../src/ingest/webhook.route.js';
import { API_VERSION } from '@tidegate/stripe-gateway/adapter';
import { type Arrived, isHint } from '../src/normalize/hint.decide.js';
import { Normalize } from '../src/normalize/normalize.loop.js';
import { insertEvents, keyOf, type NewStripeEvent } from '../src/stripe-event/stripe-event.store.js';
import type { WebhooksTables } from '../src/tables.js';
import { webhookMetrics } from '../src/webhook-metrics.js';

export const SECRET = ['whsec', 'first'].join('_');
export const OTHER_SECRET = ['whsec', 'second'].join('_');

/** The service's parts on a real database, without broker: what a test plugs together. */
export interface Workbench extends Database<WebhooksTables> {
  database: TestDatabase;
  logger: Logger;
  metrics: ReturnType<typeof createMetrics>;
  close(): Promise<void>;
}

export const silent = createLogger({ service: 'webhooks', level: 'silent' });

export async function openWorkbench(): Promise<Workbench> {
  const database = await postgresForTests();
  const opened = openDatabase<WebhooksTables>({ url: database.urlFor('webhooks'), poolSize: 4, applicationName: 'webhooks-spec' }, silent);
  return {
    ...opened,
    database,
    logger: silent,
    metrics: createMetrics('webhooks'),
    close: async () => {
      await opened.close();
      await database.drop();
    },
  };
}

/** As in the service with a test key. */
export const isOurHint = (event: Arrived): boolean => isHint(event, { livemode: false, apiVersion: API_VERSION });

/** The listener as the service has it, on a bare Fastify. */
export function listener(bench: Workbench, options: { failpoints?: Failpoints; nowSeconds?: () => number } = {}): FastifyInstance {
  const { db, logger } = bench;
  const failpoints = options.failpoints ?? noFailpoints;
  const nowSeconds = options.nowSeconds ?? (() => Math.floor(Date.now() / 1000));
  const batcher = new Batcher<NewStripeEvent>({
    insert: (rows) => inStatement({ db, failpoints }, 'webhooks.ingest.insert', (one) => insertEvents(one, rows)),
    keyOf,
    faultOf: insertFault,
  });
  const receiver = new ReceiveDelivery({
    isSigned: ({ raw, signature }) => verify(raw, signature, [SECRET, OTHER_SECRET], 300, nowSeconds()),
    batcher,
    isHint: isOurHint,
    stored: () => undefined,
    metrics: webhookMetrics(bench.metrics, () => Promise.resolve(0)),
    logger,
  });
  const app = fastify();
  webhookRoute(app, { receiver, logger });
  return app;
}

export function normalizer(
  bench: Workbench,
  failpoints: Failpoints = noFailpoints,
  accountTenants: ReadonlyMap<string, string> = new Map(),
): Normalize {
  const { db, logger } = bench;
  return new Normalize({ db, failpoints, clock: systemClock, logger, accountTenants, staged: () => undefined });
}

export function hinter(bench: Workbench, stripe: Retriever, clock: Clock = systemClock, failpoints: Failpoints = noFailpoints): Hints {
  const { db, logger } = bench;
  const accountTenants = new Map<string, string>();
  return new Hints({ db, failpoints, clock, logger, stripe, accountTenants, staged: () => undefined });
}

let made = 0;

export function stripeEvent(changes: Record<string, unknown> = {}, object: Record<string, unknown> = {}): Record<string, unknown> {
  made += 1;
  return {
    id: `evt_${made}x${process.pid}`,
    object: 'event',
    type: 'payment_intent.succeeded',
    created: Math.floor(Date.now() / 1000),
    livemode: false,
    api_version: '2026-10-28.endive',
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    data: {
      object: {
        id: `pi_${made}`,
        object: 'payment_intent',
        status: 'succeeded',
        created: 1795240799,
        amount: 4200,
        amount_received: 4200,
        amount_capturable: 0,
        currency: 'usd',
        capture_method: 'automatic_async',
        latest_charge: `ch_${made}`,
        client_secret: `pi_${made}_secret_planted`,
        metadata: { payment_id: `pay_${made}aaaaaaaa`, tenant_id: 'default' },
        ...object,
      },
    },
    ...changes,
  };
}

/** Delivers an event as Stripe does. */
export function deliver(app: FastifyInstance, event: unknown, options: { secret?: string; at?: number } = {}) {
  const payload = Buffer.from(typeof event === 'string' ? event : JSON.stringify(event, null, 2));
  const signature = sign(payload, options.secret ?? SECRET, options.at ?? Math.floor(Date.now() / 1000));
  return app.inject({
    method: 'POST',
    url: WEBHOOK_PATH,
    payload,
    headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signature },
  });
}

export interface Staged {
  id: number;
  aggregate: string;
  subject: string;
  body: Envelope<NormalizedStripeEvent>;
}

/** The outbox in order. */
export async function staged({ db }: Pick<Workbench, 'db'>): Promise<Staged[]> {
  const { rows } = await sql<{ id: number; aggregate: string; subject: string; body: string }>`
    SELECT id, aggregate, subject, convert_from(bytes, 'UTF8') AS body FROM outbox ORDER BY id`.execute(db);
  return rows.map((row) => ({ ...row, body: JSON.parse(row.body) as Envelope<NormalizedStripeEvent> }));
}

export async function storedIds({ db }: Pick<Workbench, 'db'>): Promise<string[]> {
  const rows = await db.selectFrom('stripe_events').select('stripe_event_id').orderBy('stripe_event_id').execute();
  return rows.map((row) => row.stripe_event_id);
}

/** Cuts the test's database off, as a server that goes away does, while `during` runs. */
export async function withoutPostgres<T>({ database }: Workbench, during: () => Promise<T>): Promise<T> {
  const url = new URL(database.url);
  url.pathname = '/postgres';
  const admin = new pg.Client({ connectionString: url.href });
  await admin.connect();
  try {
    await admin.query(`ALTER DATABASE ${pg.escapeIdentifier(database.name)} ALLOW_CONNECTIONS false`);
    await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [database.name]);
    // Backends end a moment later; a pool that had not heard of it would try one of them once more.
    await eventually(async () =>
      expect((await admin.query('SELECT 1 FROM pg_stat_activity WHERE datname = $1', [database.name])).rowCount).toBe(0),
    );
    return await during();
  } finally {
    await admin.query(`ALTER DATABASE ${pg.escapeIdentifier(database.name)} ALLOW_CONNECTIONS true`);
    await admin.end();
  }
}
