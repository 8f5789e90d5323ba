import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Problem } from '@tidegate/contracts/problem';
import { RPC, type RouteRequest } from '@tidegate/contracts/rpc/routes';
import { type Broker, connectBroker } from '@tidegate/messaging/connection';
import { RpcClient } from '@tidegate/messaging/rpc';
import { createLogger } from '@tidegate/telemetry/logger';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import pg from 'pg';
import { newKey } from '../src/api-key/key-format.js';
import { Forwarder } from '../src/http/forwarder.js';
import { runGateway, type RunningGateway } from './running-gateway.js';

let gateway: RunningGateway;
beforeAll(async () => {
  gateway = await runGateway();
}, 120_000);
afterAll(() => gateway?.stop());
beforeEach(() => {
  gateway.received.length = 0;
  gateway.answerWith((subject, request) => jsonReply(200, { subject, request }));
});

const json = { 'content-type': 'application/json' };
const aPayment = { amount: 4200, currency: 'usd', payment_method: 'pm_card_visa' };
const create = (body: unknown, init: RequestInit & { key?: string | null } = {}) =>
  gateway.fetch('/v1/payments', {
    method: 'POST',
    body: JSON.stringify(body),
    ...init,
    headers: { ...json, 'idempotency-key': 'order-1', ...(init.headers as Record<string, string>) },
  });
const quiet = createLogger({ service: 'test', level: 'silent' });
/** A connection of the test's own, with the inbox of that service. */
async function connectAs(service: string): Promise<Broker> {
  const broker = await connectBroker({ servers: gateway.nats.url(), name: service, service, logger: quiet });
  await broker.connection();
  return broker;
}
const problem = async (response: Response): Promise<Problem> => (await response.json()) as Problem;

describe('A request that is right', () => {
  it('reaches the owner of the data with tenant, actor, route, key and body', async () => {
    const response = await create(aPayment, { headers: { prefer: 'respond-async', 'x-request-id': 'my-request' } });

    expect(response.status).toBe(200);
    expect(gateway.received).toHaveLength(1);
    expect(gateway.received[0]).toMatchObject({
      subject: RPC.paymentCreate,
      request: {
        tenant: 'default',
        actor: expect.stringMatching(/^key:/),
        request_id: 'my-request',
        route: 'POST /v1/payments',
        idempotency_key: 'order-1',
        respond_async: true,
        livemode: false,
        body: aPayment,
      },
    });
  });

  it('is routed with its id filled in', async () => {
    await gateway.fetch('/v1/payments/pay_4f1c2b7a9d3e5f60/capture', { method: 'POST', headers: { 'idempotency-key': 'c-1' } });
    expect(gateway.received[0]?.request).toMatchObject({
      route: 'POST /v1/payments/pay_4f1c2b7a9d3e5f60/capture',
      params: { id: 'pay_4f1c2b7a9d3e5f60' },
      body: {},
    });
  });

  it('takes a list with filters', async () => {
    const response = await gateway.fetch('/v1/payments?status=succeeded&limit=20&created_gte=2026-11-21T00:00:00Z');
    expect(response.status).toBe(200);
    expect(gateway.received[0]?.request.query).toEqual({ status: 'succeeded', limit: '20', created_gte: '2026-11-21T00:00:00Z' });
  });

  it("comes back with the owner's status, headers and bytes, untouched", async () => {
    const bytes = Buffer.from([0x25, 0x50, 0x44, 0x46, 0, 0xff]);
    gateway.answerWith(() => ({
      status: 200,
      content_type: 'application/pdf',
      headers: { 'content-disposition': 'inline; filename="R-1.pdf"' },
      body: bytes.toString('base64'),
      encoding: 'base64',
    }));

    const response = await gateway.fetch('/v1/receipts/rcp_4f1c2b7a9d3e5f60/pdf');

    expect(response.headers.get('content-type')).toBe('application/pdf');
    expect(response.headers.get('content-disposition')).toContain('R-1.pdf');
    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
  });

  it("carries the owner's problem with its headers", async () => {
    const own = '{"code":"payments.stripe_unavailable", "odd":   "spacing"}';
    gateway.answerWith(() => ({
      status: 503,
      content_type: 'application/problem+json',
      headers: { 'retry-after': '7' },
      body: own,
      encoding: 'utf8',
    }));

    const response = await create(aPayment);

    expect([response.status, response.headers.get('retry-after'), await response.text()]).toEqual([503, '7', own]);
  });

  it('has a request id, a trace id and no cache, whatever the answer', async () => {
    for (const response of [await create(aPayment), await create({}), await gateway.fetch('/nowhere')]) {
      expect(response.headers.get('x-request-id')).toBeTruthy();
      expect(response.headers.get('trace-id')).toMatch(/^[0-9a-f]{32}$/);
      expect(response.headers.get('cache-control')).toBe('no-store');
    }
  });

  it('takes the numbers of traces for no cards', async () => {
    const number = `4${'0'.repeat(17)}6`;
    for (const headers of [
      { 'x-datadog-trace-id': number },
      { 'x-datadog-parent-id': number },
      { 'x-cloud-trace-context': `${'a'.repeat(32)}/${number};o=1` },
      { 'x-b3-traceid': number },
    ])
      expect((await create(aPayment, { headers })).status).toBe(200);
    expect((await create(aPayment, { headers: { 'x-note': number } })).status).toBe(400);
  });

  it('goes on in the trace of the caller', async () => {
    const traceId = 'a'.repeat(32);
    const response = await create(aPayment, { headers: { traceparent: `00-${traceId}-${'b'.repeat(16)}-01` } });
    expect(response.headers.get('trace-id')).toBe(traceId);
    expect(gateway.received[0]?.traceparent).toMatch(new RegExp(`^00-${traceId}-`));
    expect(gateway.received[0]?.traceparent).not.toContain('b'.repeat(16));
  });
});

describe('A caller', () => {
  it('without a key is asked for one, before anything else is looked at', async () => {
    const response = await create('{ not json', { key: null });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('Bearer');
    expect(await problem(response)).toMatchObject({ code: 'auth.missing', type: '/problems/auth.missing' });
  });

  it.each([
    ['malformed', () => 'nonsense'],
    ['well formed but unknown', () => newKey('test').key],
  ])('with a key that is %s is nobody', async (_what, key) => {
    const response = await create(aPayment, { key: key() });
    expect([response.status, (await problem(response)).code]).toEqual([401, 'auth.invalid']);
  });

  it('with an expired key is nobody', async () => {
    const response = await create(aPayment, { key: await gateway.key({ expiresAt: new Date(Date.now() - 1000) }) });
    expect((await problem(response)).code).toBe('auth.invalid');
  });

  it('without the scope is told which one, before its body is judged', async () => {
    const key = await gateway.key({ scopes: ['payments:read'] });
    const response = await create({ rubbish: true }, { key });
    expect(response.status).toBe(403);
    expect(await problem(response)).toMatchObject({ code: 'auth.forbidden', detail: expect.stringContaining('payments:write') });
    expect((await gateway.fetch('/v1/payments', { key })).status).toBe(200);
  });

  it.each([
    '/v1/payments',
    '/v1/customers',
    '/v1/receipts',
    '/v1/webhook-events',
    '/v1/usage?customer=cus_1&meter=m',
    '/v1/billing/stream',
  ])('with a key of the other mode reads nothing of %s', async (path) => {
    const response = await gateway.fetch(path, { key: await gateway.key({ livemode: true }) });
    expect([response.status, (await problem(response)).code]).toEqual([403, 'auth.other_mode']);
    expect(gateway.received).toEqual([]);
  });

  it('with a key of the other mode changes nothing, and makes no stream token', async () => {
    const key = await gateway.key({ livemode: true });
    for (const path of ['/v1/payments', '/v1/webhook-events/replay', '/v1/reconciliation/runs', '/v1/billing/stream-tokens']) {
      const response = await gateway.fetch(path, { method: 'POST', body: '{}', headers: { ...json, 'idempotency-key': 'k' }, key });
      expect([path, response.status, (await problem(response)).code]).toEqual([path, 403, 'auth.other_mode']);
    }
    expect(gateway.received).toEqual([]);
  });

  it('of whatever mode is an operator on the routes of operators', async () => {
    expect((await gateway.fetch('/v1/ops/tenants', { key: await gateway.key({ livemode: true }) })).status).toBe(200);
  });

  it('of another tenant is another tenant to the services', async () => {
    await gateway.fetch('/v1/payments', { key: await gateway.key({ tenant: 'other' }) });
    expect(gateway.received[0]?.request.tenant).toBe('other');
  });

  it('whose session the database cannot confirm gets a 503, never a 401', async () => {
    const key = await gateway.key();
    await withoutConnections(async () => {
      const response = await create(aPayment, { key });
      expect([response.status, (await problem(response)).code, response.headers.get('retry-after')]).toEqual([
        503,
        'service.unavailable',
        '1',
      ]);
      expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503);
      expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
    });
    expect((await create(aPayment, { key })).status).toBe(200);
  });
});

describe('When the services behind do not answer', () => {
  it('says 503 at once when nobody serves the route, and that nothing was done', async () => {
    await gateway.stopServing(RPC.webhookEventGet);
    const started = performance.now();
    const response = await gateway.fetch('/v1/webhook-events/evt_1Example');
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect((await problem(response)).detail).toContain('nothing was done');
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('says 503 when the owner fails, without its words', async () => {
    gateway.answerWith(() => Promise.reject(new Error('relation "payments" does not exist')));
    const response = await create(aPayment);
    const text = await response.text();
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect(text).not.toContain('relation');
  });

  it('says 503 when the owner is silent for longer than it may be, and that the outcome is unknown', async () => {
    const { promise: silence, resolve: endSilence } = Promise.withResolvers<HttpReply>();
    gateway.answerWith(() => silence);
    const broker = await connectAs('gateway');
    const forwarder = new Forwarder(new RpcClient(broker), quiet, 200);
    const started = performance.now();
    await expect(forwarder.forward(RPC.paymentGet, {} as RouteRequest)).rejects.toMatchObject({
      code: 'service.timeout',
      detail: expect.stringContaining('the outcome is unknown'),
    });
    expect(performance.now() - started).toBeLessThan(5_000);
    endSilence(jsonReply(200, {}));
    await broker.drain();
  });
});

describe('A link to a document, and the code on one', () => {
  it.each([
    ['/r/cmNwXzRm.c2lnbmF0dXJl', 'receipts.rpc.receipt_link.open.v1'],
    ['/verify/Zk3v9QxT1mB7rL0aYw', 'receipts.rpc.receipt_verification.get.v1'],
  ])('needs no key: the token in %s is all that is handed on', async (path, subject) => {
    const response = await gateway.fetch(path, { key: null });
    expect(response.status).toBe(200);
    expect(gateway.received).toMatchObject([{ subject, request: { tenant: '', params: { token: path.split('/').at(-1) } } }]);
  });

  it.each(['/r/short', '/r/with%20space-and-more', `/verify/${'x'.repeat(300)}`])('is nothing when it cannot be one: %s', async (path) => {
    const response = await gateway.fetch(path, { key: null });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([404, 'not_found']);
    expect(gateway.received).toEqual([]);
  });

  it('offers no other method', async () => {
    expect((await gateway.fetch('/verify/Zk3v9QxT1mB7rL0aYw', { method: 'POST', key: null })).status).toBe(405);
  });
});

describe('The tenant RPC', () => {
  it('answers a tenant, and null for an unknown one', async () => {
    const broker = await connectAs('receipts');
    const rpc = new RpcClient(broker);
    expect(await rpc.request(RPC.tenantGet, { tenant: 'default' })).toEqual({
      id: 'default',
      name: 'default',
      zone: 'Europe/Berlin',
      locale: 'de',
      legal_lines: [],
      tax_ids: [],
      accent: null,
      logo: null,
    });
    expect(await rpc.request(RPC.tenantGet, { tenant: 'nobody' })).toBeNull();
    await broker.drain();
  });
});

describe('What is for everybody', () => {
  it('is the documentation, health and metrics', async () => {
    const document = (await (await gateway.fetch('/openapi.json', { key: null })).json()) as { openapi: string };
    expect(document.openapi).toBe('3.1.0');
    const docs = await gateway.fetch('/docs', { key: null });
    expect(docs.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await docs.text()).toContain('POST /v1/payments');
    expect((await gateway.fetch('/healthz', { key: null })).status).toBe(200);
    const metrics = await (await gateway.fetch('/metrics', { key: null })).text();
    expect(metrics).toContain('http_request_duration_seconds_count{route="/v1/payments/{id}/refunds",status="503"} 0');
    expect(metrics).toMatch(/db_pool_size \d/);
  });
});

describe('When the broker goes away', () => {
  it('answers 503, stays alive, and goes on when it is back', async () => {
    await gateway.nats.kill();
    const response = await create(aPayment);
    expect(response.status).toBe(503);
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503);

    await gateway.nats.start();
    await eventuallyOk(() => create(aPayment));
  }, 30_000);
});

async function eventuallyOk(call: () => Promise<Response>): Promise<void> {
  const { eventually } = await import('@tidegate/test-harness/eventually');
  await eventually(async () => expect((await call()).status).toBe(200), { timeoutMs: 20_000 });
}

/** The gateway's role may not log in, and its connections are ended: as good as a database that is away. */
async function withoutConnections(work: () => Promise<void>): Promise<void> {
  const admin = new pg.Client({ connectionString: gateway.database.url });
  await admin.connect();
  const name = pg.escapeIdentifier(gateway.database.name);
  try {
    await admin.query(`ALTER DATABASE ${name} CONNECTION LIMIT 0`);
    await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'gateway'`);
    await work();
  } finally {
    await admin.query(`ALTER DATABASE ${name} CONNECTION LIMIT -1`);
    await admin.end();
  }
}

describe('While an operator holds requests', () => {
  const operate = (path: string, body: unknown) => gateway.fetch(path, { method: 'POST', body: JSON.stringify(body), headers: json });

  it('from an instant that is to come, of which nothing could be looked for, is refused', async () => {
    const refused = await operate('/v1/ops/hold', { restore_point: '2999-11-21T06:00:00.000Z', reason: 'a typing error' });
    expect([refused.status, await problem(refused)]).toMatchObject([
      400,
      { code: 'validation.failed', errors: [{ path: 'restore_point', message: 'is in the future: it must be the instant of the backup' }] },
    ]);
    expect(await (await gateway.fetch('/v1/ops/hold')).json()).toMatchObject({ held: false });
  });

  it('what moves money is answered 503 and reaches nobody; reading goes on; the end of it is heard', async () => {
    const placed = await operate('/v1/ops/hold', { restore_point: '2026-11-21T06:00:00.000Z', reason: 'disk lost' });
    expect([placed.status, await placed.json()]).toMatchObject([
      200,
      { held: true, restore_point: '2026-11-21T06:00:00.000Z', reason: 'disk lost' },
    ]);
    const held = await create(aPayment);
    expect([held.status, held.headers.get('retry-after'), (await problem(held)).code]).toEqual([503, '30', 'service.on_hold']);
    expect((await gateway.fetch('/v1/payments')).status).toBe(200);
    expect(gateway.received.map(({ subject }) => subject)).toEqual([RPC.paymentList]);

    expect(await (await operate('/v1/ops/hold/release', { reason: 'all found' })).json()).toMatchObject({
      held: false,
      restore_point: null,
    });
    expect((await create(aPayment)).status).toBe(200);
    expect(gateway.logs.filter((line) => line.includes('"operator_action"') && line.includes('"hold.')).length).toBe(2);
  });

  it('a second restore, of a later backup that was made meanwhile, leaves what the first one lacks to be found', async () => {
    const from = async (restore_point: string) =>
      ((await (await operate('/v1/ops/hold', { restore_point, reason: 'disk lost' })).json()) as { restore_point: string }).restore_point;
    expect(await from('2026-11-21T06:00:00.000Z')).toBe('2026-11-21T06:00:00.000Z');
    expect(await from('2026-11-21T09:00:00.000Z')).toBe('2026-11-21T06:00:00.000Z');
    expect(await from('2026-11-21T03:00:00.000Z')).toBe('2026-11-21T03:00:00.000Z');
    expect((await operate('/v1/ops/hold/release', { reason: 'all found' })).status).toBe(200);
  });
});
