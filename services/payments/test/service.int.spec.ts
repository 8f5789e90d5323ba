import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { deadLetterSubject, type RouteRequest, RPC } from '@tidegate/contracts/rpc/routes';
import { readConfig } from '@tidegate/service-host/config';
import { type RunningService, startService } from '@tidegate/service-host/host';
import { connectBroker } from '@tidegate/messaging/connection';
import { type Broker } from '@tidegate/messaging/broker';
import { RpcClient } from '@tidegate/messaging/rpc';
import { createLogger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import { type TestNats, natsForTests } from '@tidegate/test-harness/nats';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { simulatorForTests } from '@tidegate/test-harness/simulator';
import { type Simulator } from '@tidegate/stripe-simulator/simulator';
import { jetstream } from '@nats-io/jetstream';
import { openDatabase } from '@tidegate/database/database';
import { type ReadinessReport } from '@tidegate/service-host/health';
import { sql } from 'kysely';
import { PaymentsConfig } from '../src/config.js';
import { FAILPOINTS } from '../src/failpoints.js';
import { setup } from '../src/payments.module.js';
import { VISA } from './payments-world.js';

jest.setTimeout(60_000);

describe('The running service', () => {
  let database: TestDatabase;
  let nats: TestNats;
  let simulator: Simulator;
  let service: RunningService;
  let broker: Broker;
  let rpc: RpcClient;
  const logger = createLogger({ service: 'payments', level: 'silent' });

  beforeAll(async () => {
    [database, nats, simulator] = await Promise.all([postgresForTests(), natsForTests(), simulatorForTests()]);
    service = await startedService();
    broker = await connectBroker({ servers: nats.url(), name: 'test', service: 'gateway', logger });
    rpc = new RpcClient(broker);
  });
  afterAll(async () => {
    expect(await service.stop()).toBe(true);
    await broker.drain();
    await Promise.all([nats.stop(), simulator.close()]);
    await database.drop();
  });

  const startedService = (url = nats.url()) => {
    const config = readConfig(PaymentsConfig, {
      PORT: '0',
      DATABASE_URL: database.urlFor('payments'),
      NATS_URL: url,
      STRIPE_SECRET_KEY: 'sk_test_simulator',
      STRIPE_API_BASE: simulator.url,
      LOG_LEVEL: 'silent',
      SHUTDOWN_GRACE_MS: '0',
    });
    return startService({ service: 'payments', version: '0.1.0', config, failpoints: FAILPOINTS, setup }, logger);
  };

  const request = (change: Partial<RouteRequest>): RouteRequest => ({
    tenant: 'default',
    actor: 'test',
    request_id: 'req_1',
    correlation_id: 'cor_1',
    route: 'POST /v1/payments',
    params: {},
    query: {},
    idempotency_key: 'k1',
    respond_async: false,
    livemode: false,
    body: { amount: 4200, currency: 'usd', payment_method: VISA },
    ...change,
  });

  it('refuses what a live key asks for while its own key is one of the test mode', async () => {
    const asked = () =>
      rpc.request<HttpReply>(RPC.paymentCreate, request({ livemode: true, idempotency_key: 'live' }), { timeoutMs: 10_000 });
    const { status, body } = await eventually(asked);
    expect([status, (JSON.parse(body) as { code: string }).code]).toEqual([403, 'auth.other_mode']);
    expect(simulator.truth(['payment_intents']).payment_intents).toEqual([]);
  });

  it('answers a request over the broker and publishes what happened, in order', async () => {
    const reply = await eventually(() => rpc.request<HttpReply>(RPC.paymentCreate, request({}), { timeoutMs: 10_000 }));
    const payment = JSON.parse(reply.body) as { id: string; status: string };
    expect([reply.status, payment.status]).toEqual([201, 'succeeded']);

    const stream = await eventually(async () => await jetstream(await broker.connection()).streams.get('PAYMENTS_EVENTS'));
    const subjects = await eventually(async () => {
      const { state } = await stream.info();
      expect(state.messages).toBeGreaterThanOrEqual(2);
      return [(await stream.getMessage({ seq: 1 }))?.subject, (await stream.getMessage({ seq: 2 }))?.subject];
    });
    expect(subjects).toEqual(['payments.events.payment.created.v1', 'payments.events.payment.succeeded.v1']);
    expect(JSON.stringify(await stream.getMessage({ seq: 2 }).then((message) => message?.json()))).not.toContain('_secret_');
  });

  it('tells its state', async () => {
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    for (const series of [
      'circuit_state{breaker_name="stripe"} 0',
      'payments_attempts_total{result="succeeded"} 1',
      'payments_retry_queue_depth 0',
      'stripe_requests_total{operation="create_intent",result="ok"} 1',
    ])
      expect(metrics).toContain(series);
    expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
  });

  it('answers for what it set aside', async () => {
    const list = await rpc.request<HttpReply>(deadLetterSubject('payments', 'list'), request({ route: 'GET /v1/ops/dead-letters' }));
    expect([list.status, JSON.parse(list.body)]).toEqual([200, { data: [], has_more: false }]);
    const body = { filter: {}, reason: 'nothing to see' };
    const replayed = await rpc.request<HttpReply>(deadLetterSubject('payments', 'replay'), request({ body }));
    expect(JSON.parse(replayed.body)).toMatchObject({ matched: 0, changed: 0, more: false });
  });

  it('is not ready and takes no request before it knows the breakers, which a client would be told are open', async () => {
    const admin = openDatabase<Record<string, never>>({ url: database.url, poolSize: 1, applicationName: 'spec' }, logger);
    const another = await admin.db.transaction().execute(async (tx) => {
      await sql`LOCK TABLE stripe_gateway.breaker_states`.execute(tx);
      const started = await startedService();
      const { status, dependencies } = await eventually(async () => {
        const answer = await fetch(`${started.url}/readyz`);
        const report = (await answer.json()) as ReadinessReport;
        expect(report.dependencies).toMatchObject({ postgres: { ok: true }, broker: { ok: true } });
        return { status: answer.status, dependencies: report.dependencies };
      });
      expect([status, dependencies['startup']]).toEqual([503, { ok: false, needed: true, error: 'not started yet: requests' }]);
      return started;
    });
    await admin.close();
    await eventually(async () => expect((await fetch(`${another.url}/readyz`)).status).toBe(200));
    expect(await another.stop()).toBe(true);
  });

  it('takes no request when it learns of the breakers only after it was told to stop', async () => {
    const alone = await natsForTests();
    const asking = await connectBroker({ servers: alone.url(), name: 'test', service: 'gateway', logger });
    await asking.connection();
    const admin = openDatabase<Record<string, never>>({ url: database.url, poolSize: 2, applicationName: 'spec' }, logger);
    let stopped: Promise<boolean> | undefined;
    await admin.db.transaction().execute(async (tx) => {
      await sql`LOCK TABLE stripe_gateway.breaker_states`.execute(tx);
      const started = await startedService(alone.url());
      await eventually(async () => {
        const { rows } = await sql`
          SELECT FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%UPDATE stripe_gateway.breaker_states%'`.execute(
          admin.db,
        );
        expect(rows).toHaveLength(1);
      });
      stopped = started.stop();
    });
    await admin.close();
    const ask = () => new RpcClient(asking).request(RPC.paymentList, request({ idempotency_key: null, body: null }));
    const answers = new Set<string>();
    for (let clean: boolean | undefined; clean === undefined;) {
      answers.add(await ask().then(() => 'answered', String));
      clean = await Promise.race([stopped, delay(20, undefined)]);
    }
    expect([...answers]).toEqual([`RpcUnavailable: ${RPC.paymentList}: nobody answers this subject`]);
    expect(await stopped).toBe(true);
    await asking.drain();
    await alone.stop();
  });

  it('refuses a broken request without falling over', async () => {
    const reply = await rpc.request<HttpReply>(RPC.paymentCreate, { nonsense: true });
    expect(reply.status).toBe(500);
    expect((await rpc.request<HttpReply>(RPC.paymentList, request({ idempotency_key: null, body: null }))).status).toBe(200);
  });
});
