import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { outboxReadSubject } from '@tidegate/contracts/subjects';
import { serveRpc } from '@tidegate/messaging/rpc';
import { readConfig } from '@tidegate/service-host/config';
import { type RunningService, startService } from '@tidegate/service-host/host';
import { createLogger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import { StreamClient } from '@tidegate/test-harness/stream-client';
import { gatewaySettings } from '../src/config.js';
import { gateway as gatewayParts } from '../src/gateway.module.js';
import { publishBehind } from './payments-publisher.js';
import { runGateway, type RunningGateway } from './running-gateway.js';

let gateway: RunningGateway;
let headers: Record<string, string>;
const replicas: RunningService[] = [];
const clients: StreamClient[] = [];

beforeAll(async () => {
  gateway = await runGateway();
  headers = { authorization: `Bearer ${await gateway.key()}`, 'content-type': 'application/json' };
}, 120_000);
afterEach(async () => {
  for (const client of clients.splice(0)) client.stop();
  await Promise.all(replicas.splice(0).map((replica) => replica.stop()));
});
afterAll(async () => {
  await gateway?.stop();
});

const STREAM = '/v1/billing/stream';

/** One more gateway beside the one that all tests share, and the lines that it logged. */
async function replica(env: Record<string, string> = {}): Promise<RunningService & { logged(event: string): string[] }> {
  const lines: string[] = [];
  const logger = createLogger({ service: 'gateway', level: 'debug', destination: { write: (line) => void lines.push(line) } });
  const config = readConfig(gatewaySettings, {
    PORT: '0',
    SHUTDOWN_GRACE_SECONDS: '0',
    DATABASE_URL: gateway.database.urlFor('gateway'),
    NATS_URL: gateway.nats.url(),
    ...env,
  });
  const running = await startService({ service: 'gateway', version: 'test', config, setup: gatewayParts }, logger);
  replicas.push(running);
  return { ...running, logged: (event) => lines.filter((line) => line.includes(`"event":"${event}"`)) };
}

const opened = ({ url }: RunningService) =>
  eventually(async () => expect((await fetch(`${url}${STREAM}`, { method: 'HEAD', headers })).status).toBe(200));

function follow({ url }: RunningService, lastEventId?: string): StreamClient {
  const client = new StreamClient({ url: () => `${url}${STREAM}`, headers, ...(lastEventId === undefined ? {} : { lastEventId }) });
  clients.push(client);
  return client;
}

async function tokenFrom({ url }: RunningService): Promise<{ status: number; retryAfter: string | null; lastEventId: unknown }> {
  const response = await fetch(`${url}/v1/billing/stream-tokens`, { method: 'POST', body: '{}', headers });
  const { last_event_id: lastEventId } = (await response.json()) as { last_event_id?: string | null };
  return { status: response.status, retryAfter: response.headers.get('retry-after'), lastEventId };
}

describe('A gateway', () => {
  it('makes no token while it does not know how far payments is: a page would begin nowhere', async () => {
    await gateway.whileOutboxIsAway(async () => {
      expect(await tokenFrom(await replica())).toEqual({ status: 503, retryAfter: '2', lastEventId: undefined });
    });
    expect(await tokenFrom(gateway.service)).toMatchObject({
      status: 201,
      lastEventId: expect.stringMatching(/^1:\d+$/),
    });
  });

  it('tells a client that comes with an id of another installation to read the state anew, and says so once', async () => {
    const asked = await replica();
    await opened(asked);
    const client = follow(asked, '1:999999');
    await eventually(() =>
      expect(client.events.map(({ type, data }) => [type, JSON.parse(data)])).toEqual([['reset', { reason: 'epoch', id: '1:0' }]]),
    );
    expect(client.answers).toEqual([200]);
    expect(asked.logged('billing_stream_reset')).toEqual([expect.stringContaining('"last_event_id":"1:999999"')]);
  });

  it('lets its clients go when it begins to stop, and takes no others: it hears of nothing from then on', async () => {
    const leaving = await replica({ SHUTDOWN_GRACE_SECONDS: '3' });
    await opened(leaving);
    const client = follow(leaving);
    await eventually(() => expect(client.answers).toEqual([200]));
    const stopped = leaving.stop();
    await eventually(() => expect(client.answers).toContain(503), { timeoutMs: 10_000 });
    client.stop();
    expect(await stopped).toBe(true);
  }, 60_000);
});

describe('A gateway whose clients are behind', () => {
  /** A gateway that has asked payments three times for a client, with this in the place of each answer. */
  async function asking(answer: () => unknown): Promise<Awaited<ReturnType<typeof replica>>> {
    const behind = await replica();
    await opened(behind);
    let asked = 0;
    const instead = serveRpc(gateway.behind.broker, outboxReadSubject('payments'), 'payments', async (request) => {
      if ((request as { limit: number }).limit === 200) asked += 1;
      return answer();
    });
    await gateway.whileOutboxIsAway(async () => {
      follow(behind, '1:0');
      await eventually(() => expect(asked).toBeGreaterThanOrEqual(3));
      await instead.stop();
    });
    return behind;
  }

  beforeAll(async () => {
    const payments = publishBehind(gateway);
    await payments.publish(3);
    await eventually(async () => expect((await tokenFrom(gateway.service)).lastEventId).toBe('1:3'));
    await payments.stop();
  });

  it('says that payments is away, once in a while and why, when payments cannot read its database', async () => {
    const { logged } = await asking(() => {
      throw new Error('the database is away');
    });
    expect(logged('billing_stream_owner_away')).toEqual([expect.stringContaining('the database is away')]);
    expect([...logged('loop_failed'), ...logged('billing_stream_read_failed')]).toEqual([]);
  }, 60_000);

  it('says once in a while, too, that it does not understand what payments answers', async () => {
    const { logged } = await asking(() => ({ rows: 'none' }));
    expect(logged('billing_stream_read_failed')).toHaveLength(1);
  }, 60_000);
});
