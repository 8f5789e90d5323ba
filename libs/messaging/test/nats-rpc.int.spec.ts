import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { headers } from '@nats-io/transport-node';
import { createLogger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import { connectBroker } from '../src/connection.js';
import { DEADLINE_HEADER, RpcClient, RpcFailed, RpcTimeout, RpcUnavailable, serveRpc } from '../src/rpc.js';
import { type Member, quiet, World } from './support/world.js';

jest.setTimeout(30_000);

const SUBJECT = 'payments.rpc.payment.get.v1';

describe('When one service asks another', () => {
  let world: World;
  let payments: Member;
  let gateway: Member;
  let client: RpcClient;
  beforeAll(async () => {
    world = await World.open();
    payments = await world.member('payments');
    gateway = await world.member('gateway');
    client = new RpcClient(gateway.broker);
    await eventually(() => expect(payments.broker.connected).toBe(true));
  });
  afterAll(() => world.close());

  it('says at once that nobody answers', async () => {
    await expect(client.request(SUBJECT, {}, { timeoutMs: 10_000 })).rejects.toThrow(RpcUnavailable);
  });

  it('hands over the deadline, and drops what is expired on arrival', async () => {
    const seen: number[] = [];
    const server = serveRpc(payments.broker, SUBJECT, 'payments', async (request, { deadline }) => {
      seen.push(deadline);
      return { echo: request };
    });
    const deadline = Date.now() + 20_000;
    await eventually(async () =>
      expect(await client.request(SUBJECT, { id: 1 }, { deadline, timeoutMs: 25_000 })).toEqual({ echo: { id: 1 } }),
    );
    expect(seen[0]).toBe(deadline);
    await expect(client.request(SUBJECT, {}, { deadline: Date.now() - 1 })).rejects.toThrow(RpcTimeout);
    await server.stop();
  });

  it('is answered by a machine whose clock is a few seconds ahead, however short it waits itself', async () => {
    const AHEAD_MS = 4000;
    const nc = await payments.broker.connection();
    const ahead = nc.subscribe(SUBJECT, {
      callback: (_, message) => {
        if (Date.now() + AHEAD_MS < Number(message.headers?.get(DEADLINE_HEADER))) message.respond(JSON.stringify('ahead'));
      },
    });
    try {
      await nc.flush();
      expect(await client.request(SUBJECT, {}, { timeoutMs: 1000 })).toBe('ahead');
      expect(await client.requestAll(SUBJECT, {}, 300)).toEqual(['ahead']);
    } finally {
      ahead.unsubscribe();
    }
  });

  it('tells in the log of what came too late to be answered, once for many', async () => {
    const lines: Record<string, unknown>[] = [];
    const logger = createLogger({ service: 'payments', destination: { write: (line) => void lines.push(JSON.parse(line)) } });
    const broker = await connectBroker({ servers: world.nats.url('payments'), name: 'late', logger });
    const handled: unknown[] = [];
    const server = serveRpc(broker, SUBJECT, 'payments', async (request) => handled.push(request));
    await eventually(async () => expect(await client.request(SUBJECT, 1)).toBe(1));
    const nc = await gateway.broker.connection();
    const ask = (deadline: number, payload: unknown) => {
      const late = headers();
      late.set(DEADLINE_HEADER, String(deadline));
      nc.publish(SUBJECT, JSON.stringify(payload), { headers: late });
    };
    // As from a machine whose clock is a minute behind.
    for (let n = 0; n < 5; n += 1) ask(Date.now() - 60_000, 'late');
    ask(Date.now() + 60_000, 'in time');
    await eventually(() => expect(handled).toContain('in time'));
    expect(handled).not.toContain('late');
    const told = lines.filter(({ event }) => event === 'rpc_requests_late');
    expect(told).toMatchObject([{ subject: SUBJECT, requests: 1 }]);
    expect(told[0]?.['late_by_ms']).toBeGreaterThanOrEqual(60_000);
    await server.stop();
    await broker.drain();
  });

  it('tells a handler that threw from one that was too slow', async () => {
    const server = serveRpc(payments.broker, SUBJECT, 'payments', async (request) => {
      if ((request as { slow?: boolean }).slow) await new Promise((resolve) => setTimeout(resolve, 300));
      throw new Error('broken inside');
    });
    await eventually(async () => expect(client.request(SUBJECT, {})).rejects.toThrow(RpcFailed));
    await expect(client.request(SUBJECT, { slow: true }, { timeoutMs: 100 })).rejects.toThrow(RpcTimeout);
    await server.stop();
  });

  it('is handed an answer of several megabytes, as a long receipt is', async () => {
    const body = 'x'.repeat(6 * 1024 * 1024);
    const server = serveRpc(payments.broker, SUBJECT, 'payments', () => Promise.resolve({ body }));
    await eventually(async () => expect((await client.request<{ body: string }>(SUBJECT, {})).body.length).toBe(body.length));
    await server.stop();
  });

  it('finishes requests in hand when it stops, and leaves new ones to other replicas', async () => {
    const second = await world.member('payments');
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const first = serveRpc(payments.broker, SUBJECT, 'payments', async () => {
      await held;
      return 'first';
    });
    let answer: Promise<string> | undefined;
    await eventually(async () => {
      answer = client.request<string>(SUBJECT, {});
      await expect(Promise.race([answer, new Promise((resolve) => setTimeout(() => resolve('waiting'), 100))])).resolves.toBe('waiting');
    });
    const other = serveRpc(second.broker, SUBJECT, 'payments', async () => 'second');
    const stopped = first.stop();
    await eventually(async () => expect(await client.request(SUBJECT, {}, { timeoutMs: 200 })).toBe('second'));
    release();
    await stopped;
    expect(await answer).toBe('first');
    await other.stop();
  });

  it('starts without a broker, and says unavailable until it is there', async () => {
    const broker = await connectBroker({ servers: 'nats://nobody:none@127.0.0.1:9', name: 'lonely', logger: quiet });
    expect(broker.connected).toBe(false);
    await expect(new RpcClient(broker).request(SUBJECT, {})).rejects.toThrow('the broker is away');
    await expect(broker.ping()).rejects.toThrow('The broker is away');
    await broker.drain();
    await expect(broker.connection()).rejects.toThrow('closed');
  });
});
