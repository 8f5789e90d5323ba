import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { type RouteRequest, RPC } from '@tidegate/contracts/rpc/routes';
import { type Broker } from '@tidegate/messaging/broker';
import { connectBroker } from '@tidegate/messaging/connection';
import { RpcClient } from '@tidegate/messaging/rpc';
import { type RunningService, startService } from '@tidegate/service-host/host';
import { fingerprintOf } from '@tidegate/service-host/secret';
import { type Simulator } from '@tidegate/stripe-simulator/simulator';
import { createLogger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import { type TestNats, natsForTests } from '@tidegate/test-harness/nats';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { simulatorForTests } from '@tidegate/test-harness/simulator';
import { readPaymentsConfig } from '../src/config.js';
import { FAILPOINTS } from '../src/failpoints.js';
import { setup } from '../src/payments.module.js';
import { VISA } from './payments-world.js';

jest.setTimeout(60_000);

const [FIRST, SECOND, THIRD] = ['first', 'second', 'third'].map((name) => ['sk', 'test', `rotated${name}`].join('_')) as [
  string,
  string,
  string,
];
const PAYERS = 8;
/** Payments that are made under each key before the next thing happens. */
const SOME = 3 * PAYERS;
/** How soon a payer who was turned away comes again. */
const AGAIN_MS = 20;

describe("When the file of Stripe's own key changes under a running service that takes payments", () => {
  /** What Stripe accepts. */
  const accepted = [FIRST];
  const lines: Record<string, unknown>[] = [];
  let folder: string;
  let database: TestDatabase;
  let nats: TestNats;
  let simulator: Simulator;
  let service: RunningService;
  let broker: Broker;
  let rpc: RpcClient;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tidegate-rotated-'));
    writeFileSync(join(folder, 'key'), FIRST);
    [database, nats, simulator] = await Promise.all([postgresForTests(), natsForTests(), simulatorForTests({ apiKeys: accepted })]);
    const logger = createLogger({
      service: 'payments',
      destination: { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
    });
    const config = readPaymentsConfig({
      PORT: '0',
      DATABASE_URL: database.urlFor('payments'),
      NATS_URL: nats.url(),
      STRIPE_SECRET_KEY_FILE: join(folder, 'key'),
      STRIPE_API_BASE: simulator.url,
      STRIPE_REQUEST_RATE_LIMIT: '100000',
      SHUTDOWN_GRACE_SECONDS: '0',
    });
    service = await startService({ service: 'payments', version: 'spec', config, failpoints: FAILPOINTS, setup }, logger);
    broker = await connectBroker({ servers: nats.url(), name: 'spec', service: 'gateway', logger });
    rpc = new RpcClient(broker);
    await eventually(async () => expect((await pay('a first payment')).status).toBe(201));
  });
  afterAll(async () => {
    await service.stop();
    await broker.drain();
    await Promise.all([nats.stop(), simulator.close()]);
    await database.drop();
    rmSync(folder, { recursive: true });
  });

  it('loses nothing and charges nobody twice, the old key being revoked once the new one is in use', async () => {
    const load = payers('rotated');
    await load.paid(SOME);
    accepted.push(SECOND);
    writeFileSync(join(folder, 'key'), SECOND);
    await inUse(SECOND);
    await load.paid(SOME);
    accepted.splice(0, 1);
    await load.paid(SOME);
    await load.stop();

    expect(load.refusals()).toEqual([]);
    expectEachChargedOnce();
    expect(await states()).toEqual(CLOSED);
  });

  it('loses nothing either when the old key is revoked first: no call is made meanwhile, and the new key alone ends that', async () => {
    const load = payers('revoked');
    await load.paid(SOME);
    accepted.splice(0, 1, THIRD);
    await eventually(async () => expect(await states()).toEqual(CLOSED.map((line) => line.replace(/0$/, '4'))));
    // The gauge is what the database says; what the process knows of it may be a second old.
    await delay(1_000);
    const calls = () => simulator.world.requests.all().length;
    const before = calls();
    for (let i = 0; i < 3; i += 1) expect((await pay('at the closed door')).status).toBe(503);
    expect(calls()).toBe(before);

    writeFileSync(join(folder, 'key'), THIRD);
    await inUse(THIRD);
    await eventually(async () => expect(await states()).toEqual(CLOSED));
    await load.paid(SOME);
    await load.stop();
    expect(new Set(load.refusals())).toEqual(new Set([503]));
    expect((await pay('at the closed door')).status).toBe(201);
    keys.add('at the closed door');
    expectEachChargedOnce();
    expect(lines).toContainEqual(expect.objectContaining({ event: 'circuit_breaker_closed', target: 'stripe' }));
  });

  const CLOSED = ['stripe', 'stripe_reads', 'stripe_usage'].map((name) => `circuit_state{breaker_name="${name}"} 0`);

  async function states(): Promise<string[]> {
    const scrape = await (await fetch(`${service.url}/metrics`)).text();
    return scrape.split('\n').filter((line) => line.startsWith('circuit_state{'));
  }

  const inUse = (key: string) =>
    eventually(() => expect(lines).toContainEqual(expect.objectContaining({ event: 'setting_changed', fingerprint: fingerprintOf(key) })));

  /** Several at once, each paying one payment after the other, and again with the same key until it is paid. */
  function payers(name: string) {
    const answers: number[] = [];
    let over = false;
    const running = Array.from({ length: PAYERS }, async (_, payer) => {
      for (let made = 0; !over; made += 1) await untilPaid(`${name} ${payer} ${made}`, answers);
    });
    const paidSoFar = () => answers.filter((status) => status === 201).length;
    return {
      paid: async (count: number) => {
        const before = paidSoFar();
        await eventually(() => expect(paidSoFar()).toBeGreaterThanOrEqual(before + count));
      },
      refusals: () => answers.filter((status) => status !== 201),
      stop: async () => {
        over = true;
        await Promise.all(running);
      },
    };
  }

  async function untilPaid(key: string, answers: number[]): Promise<void> {
    for (let paid = false; !paid;) {
      const reply = await pay(key);
      answers.push(reply.status);
      if (reply.status === 503) await delay(AGAIN_MS);
      paid = reply.status === 201 && (JSON.parse(reply.body) as { status: string }).status === 'succeeded';
    }
    keys.add(key);
  }

  const keys = new Set(['a first payment']);

  const pay = (key: string) =>
    rpc.request<HttpReply>(
      RPC.paymentCreate,
      {
        tenant: 'default',
        actor: 'spec',
        request_id: `req_${key}`,
        correlation_id: `cor_${key}`,
        route: 'POST /v1/payments',
        params: {},
        query: {},
        idempotency_key: key,
        respond_async: false,
        livemode: false,
        body: { amount: 4200, currency: 'usd', payment_method: VISA },
      } satisfies RouteRequest,
      { timeoutMs: 25_000 },
    );

  function expectEachChargedOnce(): void {
    const charged = simulator.world.charges.all().map(({ payment_intent }) => payment_intent);
    const payments = simulator.world.paymentIntents.all().map(({ metadata }) => metadata['payment_id']);
    expect([charged.length, new Set(charged).size]).toEqual([keys.size, keys.size]);
    expect([payments.length, new Set(payments).size]).toEqual([keys.size, keys.size]);
  }
});
