import 'reflect-metadata';
import { secretListSubject } from '@tidegate/contracts/ops/secrets';
import { jsonReply, type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { type RouteRequest, RPC } from '@tidegate/contracts/rpc/routes';
import { type Db, openDatabase } from '@tidegate/database/database';
import { serveOutboxRead } from '@tidegate/messaging/outbox-read.rpc';
import { type Broker, connectBroker } from '@tidegate/messaging/connection';
import { type RpcServer, serveRpc } from '@tidegate/messaging/rpc';
import { readConfig } from '@tidegate/service-host/config';
import { type RunningService, startService } from '@tidegate/service-host/host';
import { createLogger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import { natsForTests, type TestNats } from '@tidegate/test-harness/nats';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { createKey, createTenant } from '../src/admin/commands.js';
import { ALL_SCOPES, type Scope } from '../src/api-key/scopes.js';
import { gatewaySettings } from '../src/config.js';
import { ENDPOINTS } from '../src/endpoints.js';
import { gateway } from '../src/gateway.module.js';
import { subjectsOf } from '../src/http/endpoint.js';

/** A gateway on real Postgres and NATS, with a responder in the place of the services behind it. */
export interface RunningGateway {
  url: string;
  service: RunningService;
  database: TestDatabase;
  nats: TestNats;
  /** Every line that the gateway logged. */
  logs: string[];
  /** Every request that came through to the services. */
  received: { subject: string; request: RouteRequest; traceparent: string | null }[];
  /** What the services answer from now on; by default 200 with what they got. */
  answerWith(answer: (subject: string, request: RouteRequest) => HttpReply | Promise<HttpReply>): void;
  /** From now on nobody answers this subject. */
  stopServing(subject: string): Promise<void>;
  key(options?: { tenant?: string; scopes?: readonly Scope[]; expiresAt?: Date; livemode?: true }): Promise<string>;
  /** Payments as it is behind the gateway: its broker connection, and its database, whose outbox is served. */
  behind: { broker: Broker; db: Db };
  /** Meanwhile nobody answers what payments' outbox holds. */
  whileOutboxIsAway(work: () => Promise<void>): Promise<void>;
  fetch(path: string, init?: RequestInit & { key?: string | null }): Promise<Response>;
  stop(): Promise<void>;
}

export async function runGateway(env: Record<string, string> = {}): Promise<RunningGateway> {
  const [database, nats] = await Promise.all([postgresForTests(), natsForTests()]);
  for (const id of ['default', 'other']) await createTenant(database.url, { id, name: id, zone: 'Europe/Berlin', locale: 'de' });

  const logs: string[] = [];
  const logger = createLogger({ service: 'gateway', level: 'debug', destination: { write: (line) => void logs.push(line) } });
  const config = readConfig(gatewaySettings, {
    PORT: '0',
    SHUTDOWN_GRACE_SECONDS: '0',
    DATABASE_URL: database.urlFor('gateway'),
    NATS_URL: nats.url(),
    ...env,
  });
  const service = await startService({ service: 'gateway', version: 'test', config, setup: gateway }, logger);

  const received: RunningGateway['received'] = [];
  let answer: (subject: string, request: RouteRequest) => HttpReply | Promise<HttpReply> = usualAnswer;
  const behind = await connectBroker({
    servers: nats.url(),
    name: 'behind',
    service: 'payments',
    logger: createLogger({ service: 'behind', level: 'silent' }),
  });
  const payments = openDatabase<Record<string, never>>(
    { url: database.urlFor('payments'), poolSize: 5, applicationName: 'payments in tests' },
    createLogger({ service: 'behind', level: 'silent' }),
  );
  let outbox = serveOutboxRead(behind, payments.db, 'payments');
  const secrets = serveRpc(behind, secretListSubject('payments'), 'payments', () =>
    Promise.resolve({
      service: 'payments',
      instance: 'behind',
      secrets: [{ name: 'STRIPE_SECRET_KEY', fingerprint: 'sha256:00000000', kind: 'sk_test', source: 'environment' }],
    }),
  );
  const servers = serveAll(behind, (subject, request, traceparent) => {
    received.push({ subject, request, traceparent });
    return answer(subject, request);
  });

  const key: RunningGateway['key'] = async ({ tenant = 'default', scopes = ALL_SCOPES, expiresAt, livemode = false } = {}) =>
    (await createKey(database.url, { tenant, scopes, livemode, expiresAt: expiresAt ?? null })).key;
  const usual = await key();
  const call: RunningGateway['fetch'] = (path, { key: own, ...init } = {}) => {
    const headers = new Headers(init.headers);
    if (own !== null) headers.set('authorization', `Bearer ${own ?? usual}`);
    return fetch(`${service.url}${path}`, { ...init, headers });
  };
  await eventually(async () => {
    if (!(await fetch(`${service.url}/readyz`)).ok) throw new Error('not ready');
    if ((await call('/v1/payments')).status !== 200) throw new Error('not served');
    if (config.ENABLE_BILLING_STREAM && (await call('/v1/billing/stream', { method: 'HEAD' })).status !== 200) throw new Error('no stream');
  });
  received.length = 0;

  return {
    url: service.url,
    service,
    database,
    nats,
    logs,
    received,
    answerWith: (next) => {
      answer = next;
    },
    stopServing: async (subject) => servers.find((server) => server.subject === subject)?.stop(),
    key,
    fetch: call,
    behind: { broker: behind, db: payments.db },
    async whileOutboxIsAway(work) {
      await outbox.stop();
      try {
        await work();
      } finally {
        outbox = serveOutboxRead(behind, payments.db, 'payments');
      }
    },
    async stop() {
      await Promise.all([outbox, secrets, ...servers].map((server) => server.stop()));
      await behind.drain();
      await payments.close();
      await service.stop();
      await Promise.all([nats.stop(), database.drop()]);
    },
  };
}

/** What was asked, in the shape that a gathered answer is made from where the gateway makes one. */
const usualAnswer = (subject: string, request: RouteRequest): HttpReply =>
  jsonReply(
    200,
    /\.(dead_letter|event_replay)\.list\.v1$/.test(subject) ? { data: [], has_more: false } : { subject, request, ...noneChanged },
  );
const noneChanged = { matched: 1, changed: 1, more: false, ids: [], refused: [], not_found: [] };

type Answer = (subject: string, request: RouteRequest, traceparent: string | null) => HttpReply | Promise<HttpReply>;

function serveAll(broker: Broker, handler: Answer): RpcServer[] {
  const subjects = [...new Set([...ENDPOINTS.flatMap(subjectsOf), RPC.receiptLink, RPC.receiptVerification])];
  return subjects.map((subject) =>
    serveRpc(broker, subject, 'behind', async (request, { traceparent }) => handler(subject, request as RouteRequest, traceparent)),
  );
}
