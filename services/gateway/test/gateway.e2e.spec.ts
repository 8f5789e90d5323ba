import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { secretListSubject } from '@tidegate/contracts/ops/secrets';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { connectBroker } from '@tidegate/messaging/connection';
import { serveRpc } from '@tidegate/messaging/rpc';
import { createLogger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import { natsForTests, type TestNats } from '@tidegate/test-harness/nats';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';

const program = (file: string) => fileURLToPath(new URL(`../${file}`, import.meta.url));
const run = promisify(execFile);

let database: TestDatabase;
let nats: TestNats;
const started: ChildProcess[] = [];
beforeAll(async () => {
  [database, nats] = await Promise.all([postgresForTests(), natsForTests()]);
}, 120_000);
afterAll(async () => {
  for (const child of started) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await Promise.all([nats.stop(), database.drop()]);
});

interface Process {
  child: ChildProcess;
  url: string;
  lines: string[];
}

/** Starts the built gateway and resolves when it says where it listens. */
async function start(env: Record<string, string>): Promise<Process> {
  const child = spawn(process.execPath, [program('bundle/main.js')], { env: { PORT: '0', ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  const lines: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`exited with ${code}: ${lines.join('\n')}`)));
    createInterface({ input: child.stdout! }).on('line', (line) => {
      lines.push(line);
      const { event, url: at } = JSON.parse(line) as { event: string; url?: string };
      if (event === 'service_started' && at) resolve(at);
    });
  });
  return { child, url, lines };
}

const admin = async (...args: string[]): Promise<Record<string, unknown>> => {
  const { stdout } = await run(process.execPath, [program('dist/admin.js'), ...args], { env: { DATABASE_URL: database.url } });
  return JSON.parse(stdout) as Record<string, unknown>;
};

describe('The admin commands', () => {
  it('make a tenant once, and keys whose secret is shown once and stored nowhere', async () => {
    expect(await admin('create-tenant', 'acme', '--name', 'Acme GmbH', '--zone', 'Europe/Berlin', '--locale', 'de-DE')).toEqual({
      ...{ id: 'acme', name: 'Acme GmbH', zone: 'Europe/Berlin', locale: 'de-DE' },
      created: true,
    });
    const again = await admin('create-tenant', 'acme');
    expect(again).toEqual({ id: 'acme', name: 'Acme GmbH', zone: 'Europe/Berlin', locale: 'de-DE', created: false });
    const made = await admin(
      'create-key',
      '--tenant',
      'acme',
      '--scopes',
      'payments:read,receipts:read',
      '--livemode',
      '--expires',
      '2030-01-01T00:00:00Z',
    );
    expect(made).toMatchObject({
      tenant: 'acme',
      scopes: ['payments:read', 'receipts:read'],
      livemode: true,
      expires_at: '2030-01-01T00:00:00.000Z',
    });
    expect(made['key']).toMatch(/^tg_live_/);
  });

  it.each([
    ['an unknown tenant', ['create-key', '--tenant', 'nobody', '--scopes', 'all'], 'no tenant nobody'],
    ['an unknown scope', ['create-key', '--tenant', 'acme', '--scopes', 'everything'], 'no scope everything'],
    ['an unknown zone', ['create-tenant', 'b', '--zone', 'Mars/Base'], 'IANA'],
  ])('refuse %s with one sentence', async (_what, args, sentence) => {
    await expect(admin(...args)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(sentence) });
  });
});

describe('The gateway as a process', () => {
  it('reports every fault of its configuration in one line and exits 1', async () => {
    const child = spawn(process.execPath, [program('bundle/main.js')], { env: { PORT: '-1' }, stdio: ['ignore', 'pipe', 'ignore'] });
    started.push(child);
    const chunks: string[] = [];
    child.stdout.on('data', (chunk) => chunks.push(String(chunk)));
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(1);
    expect(JSON.parse(chunks.join(''))).toMatchObject({
      event: 'config_invalid',
      faults: [expect.stringContaining('PORT'), 'DATABASE_URL: is required', 'NATS_URL: is required'],
    });
  });

  it('listens without Postgres and NATS, alive and not ready, and still stops with 0', async () => {
    const gateway = await start({ DATABASE_URL: 'postgres://gateway:x@127.0.0.1:1/none', NATS_URL: 'nats://gateway:x@127.0.0.1:1' });
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503);
    gateway.child.kill('SIGTERM');
    expect(await once(gateway.child, 'exit')).toEqual([0, null]);
  });

  it('answers every request that a balancer still sends it after SIGTERM, says meanwhile that it is not ready, and exits 0', async () => {
    await admin('create-tenant', 'default');
    const { key } = await admin('create-key', '--tenant', 'default', '--scopes', 'all');
    const gateway = await start({ DATABASE_URL: database.urlFor('gateway'), NATS_URL: nats.url(), SHUTDOWN_GRACE_SECONDS: '4' });
    const behind = await connectBroker({
      servers: nats.url(),
      name: 'behind',
      service: 'payments',
      logger: createLogger({ service: 'test', level: 'silent' }),
    });
    const STRIPE_KEY = { name: 'STRIPE_SECRET_KEY', fingerprint: 'sha256:00000000', kind: 'sk_test', source: 'environment' };
    const secrets = serveRpc(behind, secretListSubject('payments'), 'payments', () =>
      Promise.resolve({ service: 'payments', instance: 'behind', secrets: [STRIPE_KEY] }),
    );
    let taken = 0;
    const server = serveRpc(behind, RPC.paymentCreate, 'payments', () => {
      taken += 1;
      return new Promise((resolve) => setTimeout(() => resolve(jsonReply(201, { id: 'pay_1' })), 100));
    });
    await eventually(async () => expect((await post(gateway.url, String(key))).status).toBe(201));
    taken = 0;

    const outcomes: (number | string)[] = [];
    let inTurn = true;
    const clients = Array.from({ length: 10 }, async () => {
      while (inTurn) {
        const outcome = await post(gateway.url, String(key)).then(
          (response) => response.status,
          (error: Error) => String((error.cause as { code?: string }).code),
        );
        outcomes.push(outcome);
      }
    });
    await eventually(() => expect(outcomes.length).toBeGreaterThan(30));
    const exited = once(gateway.child, 'exit');
    gateway.child.kill('SIGTERM');
    await eventually(async () => expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503));
    const answeredBefore = outcomes.length;
    await eventually(() => expect(outcomes.length).toBeGreaterThan(answeredBefore + 30));
    inTurn = false;
    await Promise.all(clients);
    expect(await exited).toEqual([0, null]);

    expect(new Set(outcomes)).toEqual(new Set([201]));
    expect(outcomes).toHaveLength(taken);
    await expect(post(gateway.url, String(key))).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    expect(gateway.lines.filter((line) => line.includes('shutdown_step_failed'))).toEqual([]);
    await Promise.all([server.stop(), secrets.stop()]);
    await behind.drain();
  }, 30_000);
});

function post(url: string, key: string): Promise<Response> {
  return fetch(`${url}/v1/payments`, {
    method: 'POST',
    body: JSON.stringify({ amount: 4200, currency: 'usd' }),
    headers: { 'content-type': 'application/json', 'idempotency-key': 'load', authorization: `Bearer ${key}` },
  });
}
