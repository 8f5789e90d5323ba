import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { readConfig } from '@tidegate/service-host/config';
import { startService } from '@tidegate/service-host/host';
import { createLogger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import { StreamClient, type StreamClientOptions } from '@tidegate/test-harness/stream-client';
import pg from 'pg';
import { gatewaySettings } from '../src/config.js';
import { gateway as gatewayParts } from '../src/gateway.module.js';
import { type PaymentsPublisher, publishBehind } from './payments-publisher.js';
import { runGateway, type RunningGateway } from './running-gateway.js';

let gateway: RunningGateway;
let payments: PaymentsPublisher;
let key: string;
const clients: StreamClient[] = [];
let ended = false;

beforeAll(async () => {
  gateway = await runGateway({
    BILLING_STREAM_HEARTBEAT_SECONDS: '1',
    BILLING_STREAM_STALL_SECONDS: '1',
    BILLING_STREAM_MAX_CONNECTIONS: '5',
    BILLING_STREAM_ORIGINS: 'https://shop.example',
  });
  payments = publishBehind(gateway);
  key = await gateway.key();
}, 120_000);
afterEach(async () => {
  for (const client of clients.splice(0)) client.stop();
  if (!ended) await eventually(async () => expect(await metric('billing_stream_connections')).toBe(0));
});
afterAll(async () => {
  await payments?.stop();
  await gateway?.stop();
});

const STREAM = '/v1/billing/stream';
function follow({
  key: own,
  query = '',
  ...options
}: Partial<StreamClientOptions> & { key?: string | null; query?: string } = {}): StreamClient {
  const headers: Record<string, string> = own === null ? {} : { authorization: `Bearer ${own ?? key}` };
  const client = new StreamClient({ url: () => `${gateway.url}${STREAM}${query}`, headers, ...options });
  clients.push(client);
  return client;
}

const positionOf = (id: string | undefined): number => Number(id?.split(':')[1]);
const positions = (client: StreamClient): number[] => client.events.map(({ id }) => positionOf(id));
const inARow = (from: number, count: number): number[] => Array.from({ length: count }, (_, index) => from + index);
async function connected(client: StreamClient): Promise<number> {
  await eventually(() => expect(client.lastEventId).toBeDefined());
  return positionOf(client.lastEventId);
}
async function metric(series: string): Promise<number> {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return Number(line?.split(' ')[1]);
}
const logged = (event: string): string[] => gateway.logs.filter((line) => line.includes(`"event":"${event}"`));

async function countConsumers(): Promise<number> {
  const nc = await connect(gateway.nats.connectOptions());
  try {
    const manager = await jetstreamManager(nc);
    return (await manager.consumers.list('PAYMENTS_EVENTS').next()).filter((one) => one.push_bound).length;
  } finally {
    await nc.close();
  }
}

/** Resolves when the gateway's consumer is there: the store that had the one before may just have been lost. */
const followed = () => eventually(async () => expect(await countConsumers()).toBeGreaterThan(0));

async function asOwner(statement: string): Promise<void> {
  const admin = new pg.Client({ connectionString: gateway.database.url });
  await admin.connect();
  await admin.query(`set search_path = payments; ${statement}`).finally(() => admin.end());
}

describe('The billing stream', () => {
  it('tells a tenant what is published from now on: id, type, and the contract as it was published', async () => {
    const client = follow();
    const from = await connected(client);
    const sentBefore = await metric('billing_stream_events_sent_total');
    await payments.publish(2);
    await payments.publish(3, { tenant: 'other' });
    await payments.publish(1);
    await eventually(() => expect(client.events).toHaveLength(3));
    expect(positions(client)).toEqual([from + 1, from + 2, from + 6]);
    expect(client.events[0]?.type).toBe('payment.succeeded');
    expect(JSON.parse(client.events[0]?.data ?? '')).toMatchObject({ tenant: 'default', type: 'payment.succeeded', version: 1 });
    expect((await metric('billing_stream_events_sent_total')) - sentBefore).toBe(3);
    expect(await metric('billing_stream_lag_seconds')).toBeLessThan(10);
  });

  it('is a stream of events to everybody on the way, and counts as answered when it begins', async () => {
    const answered = `http_request_duration_seconds_count{route="${STREAM}",status="200"}`;
    const before = await metric(answered);
    const ended = new AbortController();
    const response = await gateway.fetch(STREAM, { signal: ended.signal });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-request-id': expect.stringMatching(/./),
      'trace-id': expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    await eventually(async () => expect(await metric(answered)).toBe(before + 1));
    ended.abort();
  });

  it('goes on behind the id in the header, and that of the query where there is none', async () => {
    const first = follow();
    const from = await connected(first);
    await payments.publish(10);
    await eventually(() => expect(first.events).toHaveLength(10));
    const epoch = first.lastEventId?.split(':')[0];
    const [header, query, both] = [
      follow({ lastEventId: `${epoch}:${from + 4}` }),
      follow({ query: `?last_event_id=${epoch}:${from + 8}` }),
      follow({ query: `?last_event_id=${epoch}:${from}`, lastEventId: `${epoch}:${from + 7}` }),
    ];
    await eventually(() =>
      expect([header, query, both].map(positions)).toEqual([inARow(from + 5, 6), inARow(from + 9, 2), inARow(from + 8, 3)]),
    );
    expect((await gateway.fetch(STREAM, { headers: { 'last-event-id': 'yesterday' } })).status).toBe(400);
  });

  it('brings a quiet tenant forward, too: heartbeats carry the id', async () => {
    const client = follow();
    const from = await connected(client);
    await payments.publish(20, { tenant: 'other' });
    await eventually(() => expect(positionOf(client.lastEventId)).toBe(from + 20));
    expect([client.events, client.lines.filter((line) => line === ': still here').length > 0]).toEqual([[], true]);
  });

  it('survives its connection killed a hundred times during ten thousand events, and a broker that loses its store: each event once, in order', async () => {
    let kills = 0;
    const client = follow({
      onEvent: () => {
        if (client.events.length % 90 !== 0 || kills >= 100) return;
        kills += 1;
        client.kill();
      },
    });
    const from = await connected(client);
    for (let done = 0; done < 10_000; done += 200) {
      await payments.publish(200);
      if (done === 5_000) await gateway.nats.wipe();
    }
    await eventually(() => expect(client.events.length).toBeGreaterThanOrEqual(10_000), { timeoutMs: 30_000 });
    expect(kills).toBe(100);
    expect(positions(client)).toEqual(inARow(from + 1, 10_000));
  }, 60_000);

  it('waits at a hole while payments does not answer, and tells nothing above it', async () => {
    const client = follow();
    await connected(client);
    await payments.publish(1);
    await Promise.all([followed(), eventually(() => expect(client.events).toHaveLength(1))]);
    const from = positionOf(client.lastEventId);
    await gateway.whileOutboxIsAway(async () => {
      await payments.publishAndLose(1);
      await payments.publish(1);
      await eventually(() => expect(logged('billing_stream_owner_away').some((line) => line.includes('"waiting_at_gap":true'))).toBe(true));
      expect(client.events).toHaveLength(1);
    });
    await eventually(() => expect(positions(client)).toEqual([from, from + 1, from + 2]));
  });
});

describe('A client that takes nothing', () => {
  it('is cut off; the others get everything, and it resumes beyond what this process remembers without missing any', async () => {
    const [asleep, awake] = [follow(), follow()];
    const from = await connected(awake);
    await connected(asleep);
    const cutOff = await metric('billing_stream_closed_total{reason="slow"}');
    asleep.fallAsleep();
    // More than a connection's buffers in the kernel take, and more than the gateway remembers.
    for (let n = 0; n < 10; n += 1) await payments.publish(32, { padding: 60_000 });
    await eventually(async () => expect(await metric('billing_stream_closed_total{reason="slow"}')).toBe(cutOff + 1), {
      timeoutMs: 20_000,
    });
    expect(logged('billing_stream_closed').some((line) => line.includes('"reason":"slow"') && line.includes('"level":"warn"'))).toBe(true);
    await eventually(() => expect(positions(awake)).toEqual(inARow(from + 1, 320)), { timeoutMs: 20_000 });
    const resumed = follow({ lastEventId: `1:${from}` });
    await eventually(() => expect(positions(resumed)).toEqual(inARow(from + 1, 320)), { timeoutMs: 20_000 });
  }, 60_000);
});

describe('Who may follow', () => {
  const tokenFor = async (body: object, own?: string) => {
    const headers = { 'content-type': 'application/json' };
    const response = await gateway.fetch('/v1/billing/stream-tokens', {
      method: 'POST',
      body: JSON.stringify(body),
      headers,
      ...(own ? { key: own } : {}),
    });
    return { status: response.status, ...((await response.json()) as { token: string; expires_at: string; code?: string }) };
  };

  it('is a browser with a token, for the tenant of the key that made it', async () => {
    const made = await tokenFor({}, await gateway.key({ tenant: 'other', scopes: ['billing:stream'] }));
    expect(made).toMatchObject({ status: 201, object: 'stream_token', token: expect.stringMatching(/^tg_stream_/) });
    expect(Date.parse(made.expires_at) - Date.now()).toBeLessThanOrEqual(300_000);
    const client = follow({ key: null, query: `?token=${made.token}` });
    await connected(client);
    await payments.publish(1);
    await payments.publish(1, { tenant: 'other' });
    await eventually(() => expect(client.events.map(({ data }) => (JSON.parse(data) as { tenant: string }).tenant)).toEqual(['other']));
    expect(gateway.logs.join('')).not.toContain(made.token);
  });

  it('is nobody with a token that has ended, that never was, or whose key has ended, and a token opens nothing else', async () => {
    const short = await tokenFor({ expires_in_seconds: 1 });
    const status = async (token: string) => (await gateway.fetch(`${STREAM}?token=${token}`, { method: 'HEAD', key: null })).status;
    expect(await status(short.token)).toBe(200);
    await eventually(async () => expect(await status(short.token)).toBe(401));
    expect(await status(`${short.token.slice(0, -1)}${short.token.endsWith('0') ? '1' : '0'}`)).toBe(401);
    expect(await status('nonsense')).toBe(401);
    const own = await gateway.key({ scopes: ['billing:stream'] });
    const { token } = await tokenFor({ expires_in_seconds: 60 }, own);
    expect((await gateway.fetch(`/v1/payments?token=${token}`, { key: null })).status).toBe(401);
    expect((await gateway.fetch('/v1/payments', { key: token })).status).toBe(401);
    await gateway.fetch(`/v1/ops/api-keys/${own.split('_')[2]}/revoke`, {
      method: 'POST',
      body: '{"reason":"lost"}',
      headers: { 'content-type': 'application/json' },
    });
    expect(await status(token)).toBe(401);
    expect((await tokenFor({}, await gateway.key({ scopes: ['payments:read'] }))).code).toBe('auth.forbidden');
  });

  it('is no longer somebody whose key was revoked meanwhile, within a heartbeat', async () => {
    const own = await gateway.key({ scopes: ['billing:stream'] });
    const client = follow({ key: own });
    await connected(client);
    const ended = await metric('billing_stream_closed_total{reason="key"}');
    await gateway.fetch(`/v1/ops/api-keys/${own.split('_')[2]}/revoke`, {
      method: 'POST',
      body: '{"reason":"lost"}',
      headers: { 'content-type': 'application/json' },
    });
    await eventually(() => expect(client.answers).toContain(401));
    expect(await metric('billing_stream_closed_total{reason="key"}')).toBe(ended + 1);
  });

  it('is so many at one process; the next is told to try again', async () => {
    const five = Array.from({ length: 5 }, () => follow());
    for (const one of five) await connected(one);
    const response = await gateway.fetch(STREAM);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
  });

  it('is no longer one of a tenant that has the most when there is no place for another, until both have as many', async () => {
    const five = Array.from({ length: 5 }, () => follow());
    for (const one of five) await connected(one);
    const key = await gateway.key({ tenant: 'other' });
    const gaveWay = await metric('billing_stream_closed_total{reason="room"}');
    for (const one of [follow({ key }), follow({ key })]) await connected(one);
    expect(await metric('billing_stream_closed_total{reason="room"}')).toBe(gaveWay + 2);
    expect((await gateway.fetch(STREAM, { key })).status).toBe(503);
    // Who gave way comes back like everybody, and waits for a place.
    await eventually(() => expect(five.flatMap(({ answers }) => answers.slice(1))).toEqual(expect.arrayContaining([503, 503])));
  });

  it('is a page of the origins that were named, on this route alone', async () => {
    const { token } = await tokenFor({});
    const asked = async (path: string, origin: string, method = 'HEAD') => {
      const response = await gateway.fetch(path, { method, headers: { origin }, key: null });
      return [response.status, response.headers.get('access-control-allow-origin'), response.headers.get('access-control-allow-headers')];
    };
    expect(await asked(`${STREAM}?token=${token}`, 'https://shop.example')).toEqual([200, 'https://shop.example', null]);
    expect(await asked(`${STREAM}?token=wrong`, 'https://shop.example')).toEqual([401, 'https://shop.example', null]);
    expect(await asked(`${STREAM}?token=${token}`, 'https://evil.example')).toEqual([200, null, null]);
    expect(await asked(STREAM, 'https://shop.example', 'OPTIONS')).toEqual([204, 'https://shop.example', 'last-event-id']);
    expect(await asked('/v1/payments', 'https://shop.example')).toEqual([401, null, null]);
  });
});

describe('A gateway that does not offer the stream', () => {
  it('says so, makes no tokens, and reads nothing from the broker', async () => {
    const env = {
      PORT: '0',
      DATABASE_URL: gateway.database.urlFor('gateway'),
      NATS_URL: gateway.nats.url(),
      ENABLE_BILLING_STREAM: 'false',
    };
    const settings = readConfig(gatewaySettings, { ...env, SHUTDOWN_GRACE_SECONDS: '0' });
    const quiet = createLogger({ service: 'gateway', level: 'silent' });
    const consumers = await countConsumers();
    const off = await startService({ service: 'gateway', version: 'test', config: settings, setup: gatewayParts }, quiet);
    try {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
      const made = await fetch(`${off.url}/v1/billing/stream-tokens`, { method: 'POST', body: '{}', headers });
      for (const response of [made, await fetch(`${off.url}${STREAM}`, { headers })])
        expect(await response.json()).toMatchObject({
          status: 404,
          code: 'not_found',
          detail: expect.stringContaining('ENABLE_BILLING_STREAM'),
        });
      expect(await (await fetch(`${off.url}/metrics`)).text()).toContain('\nbilling_stream_lag_seconds 0\n');
      expect(await countConsumers()).toBe(consumers);
    } finally {
      await off.stop();
    }
  });
});

/** The last tests of this file: they change payments' outbox. */
describe('What cannot be told any more', () => {
  const reason = (client: StreamClient) =>
    client.events.filter(({ type }) => type === 'reset').map(({ data }) => (JSON.parse(data) as { reason: string }).reason);

  it('is a reset for a client that comes from below the floor, and for no other', async () => {
    const client = follow();
    const head = await connected(client);
    await payments.publish(3);
    await eventually(() => expect(client.events).toHaveLength(3));
    await asOwner(`update outbox_state set floor = ${head + 2}`);
    await eventually(async () => {
      const early = follow({ lastEventId: `1:${head}` });
      await eventually(() => expect(reason(early)).toEqual(['below_floor']), { timeoutMs: 500 }).finally(() => early.stop());
    });
    const inTime = follow({ lastEventId: `1:${head + 1}` });
    await eventually(() => expect(positions(inTime)).toEqual([head + 2, head + 3]));
    await payments.publish(1);
    await eventually(() => expect(positions(inTime)).toEqual([head + 2, head + 3, head + 4]));
    expect([reason(inTime), reason(client)]).toEqual([[], []]);
  });

  it('is a reset for everybody after a restore, and then it goes on', async () => {
    const client = follow();
    const head = await connected(client);
    const epoch = await payments.beginEpoch();
    await payments.publish(1);
    await eventually(() => expect(reason(client)).toEqual(['epoch']));
    const late = follow({ lastEventId: `1:${head}` });
    await eventually(() => expect(reason(late)).toEqual(['epoch']));
    await payments.publish(1);
    for (const one of [client, late]) await eventually(() => expect(one.lastEventId).toBe(`${epoch}:${head + 2}`));
    expect(await metric('billing_stream_resets_total{reason="epoch"}')).toBe(2);
    expect(logged('billing_stream_begins_anew')).toHaveLength(1);
  });

  it('ends with the process, which does not wait for its clients', async () => {
    const client = follow();
    await connected(client);
    const started = performance.now();
    ended = true;
    await gateway.service.stop();
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(client.answers[0]).toBe(200);
  });
});
