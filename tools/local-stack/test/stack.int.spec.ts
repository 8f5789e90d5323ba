import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../src/process/free-port.js';
import { until } from '../src/process/until.js';
import { type ListedProcess } from '../src/stack/process-list.js';
import { type Stack } from '../src/stack/stack.js';
import { type StackOptions } from '../src/stack/stack-options.js';
import { startStack } from '../src/stack/start-stack.js';
import { toyProduct } from './toy-product.js';

const folders: string[] = [];
function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'tidegate-stack-'));
  folders.push(made);
  return made;
}
afterAll(() => folders.forEach((one) => rmSync(one, { recursive: true, force: true })));

const start = (options: Partial<StackOptions> = {}) => startStack({ dir: folder(), fsync: false, product: toyProduct(), ...options });

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const environmentOf = async (url: string) => (await (await fetch(url)).json()) as Record<string, string>;

describe('When a stack runs', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await start({
      replicas: { payments: 2 },
      failpoints: { 'payments-2': 'payments.create.intent.before_call:kill,webhooks.ingest.insert.before_commit:kill' },
      caller: {
        ...process.env,
        DATABASE_URL: 'postgres://elsewhere/',
        STRIPE_SECRET_KEY: 'sk_live_of_the_caller',
        REFUND_ABSENCE_SECONDS: '7',
      },
    });
  }, 60_000);
  afterAll(() => stack.stop());

  it('lists every process in stack.json with a pid that lives', () => {
    const listed = JSON.parse(readFileSync(join(stack.dir, 'stack.json'), 'utf8')) as ListedProcess[];
    expect(listed.map(({ name, replica }) => `${name}-${replica}`).sort()).toEqual(
      [
        'gateway-1',
        'nats-1',
        'payments-1',
        'payments-2',
        'postgres-1',
        'receipts-1',
        'reconciliation-1',
        'simulator-1',
        'webhooks-1',
      ].sort(),
    );
    for (const { pid } of listed) expect(isAlive(pid ?? 0)).toBe(true);
  });

  it('writes addresses and keys to local.env, for its owner only', () => {
    const file = join(stack.dir, 'local.env');
    const names = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0]);
    expect(names).toEqual([
      'TIDEGATE_URL',
      'TIDEGATE_WEBHOOKS_URL',
      'TIDEGATE_API_KEY',
      'TIDEGATE_API_KEY_OTHER',
      'STRIPE_API_BASE',
      'STRIPE_SECRET_KEY',
      'STRIPE_WEBHOOK_SECRET',
      'DATABASE_URL',
      'NATS_URL',
    ]);
    for (const name of ['local.env', 'secrets.json', 'stack.json']) expect(statSync(join(stack.dir, name)).mode & 0o077).toBe(0);
  });

  it("gives a service its own login, its settings from the caller, and none of the caller's addresses and keys", async () => {
    const env = await environmentOf(stack.urls.payments[0]!);
    expect(new URL(env['DATABASE_URL']!).username).toBe('payments');
    expect(new URL(env['NATS_URL']!).username).toBe('payments');
    expect(env['STRIPE_SECRET_KEY']).toMatch(/^sk_test_/);
    expect(env['REFUND_ABSENCE_SECONDS']).toBe('7');
  });

  it("has the simulator deliver what the product's endpoint is registered for", async () => {
    const env = await environmentOf(stack.urls.simulator);
    expect([env['STRIPE_WEBHOOK_URL'], env['STRIPE_WEBHOOK_EVENTS']]).toEqual([
      `${stack.urls.webhooks[0]}/webhooks/stripe`,
      'charge.succeeded,charge.failed',
    ]);
  });

  it('arms failpoints in the process they are meant for, and only its own', async () => {
    expect((await environmentOf(stack.urls.payments[0]!))['TIDEGATE_FAILPOINT']).toBeUndefined();
    expect((await environmentOf(stack.urls.payments[1]!))['TIDEGATE_FAILPOINT']).toBe('payments.create.intent.before_call:kill');
  });

  it('kills one replica and starts it again on its port', async () => {
    const before = stack.pid('payments', 2);
    expect(await stack.kill('payments', 2)).toEqual({ code: null, signal: 'SIGKILL' });
    expect(stack.pid('payments', 2)).toBeUndefined();
    await stack.restart('payments', 2, { EXTRA: 'yes' });
    expect(stack.pid('payments', 2)).not.toBe(before);
    expect((await environmentOf(stack.urls.payments[1]!))['EXTRA']).toBe('yes');
  });

  it('restarts the broker and the database on their ports while the services live on', async () => {
    const pids = () =>
      stack
        .processes()
        .filter((one) => !['nats', 'postgres'].includes(one.name))
        .map((one) => one.pid);
    const ports = () => stack.processes().map((one) => one.port);
    const [pidsBefore, portsBefore] = [pids(), ports()];
    await stack.killNats();
    stack.wipeNats();
    await stack.startNats();
    await stack.killPostgres();
    await stack.startPostgres();
    expect([pids(), ports()]).toEqual([pidsBefore, portsBefore]);
  }, 30_000);
});

describe('When a stack stops', () => {
  it('leaves no process behind, and finds its data and secrets again', async () => {
    const dir = folder();
    const first = await start({ dir });
    const pids = first.processes().map((one) => one.pid ?? 0);
    const { keys } = first;
    await first.stop();
    expect(pids.filter(isAlive)).toEqual([]);

    let created = 0;
    const product = toyProduct({ createTenantsAndKeys: () => Promise.reject(new Error(`created again: ${(created += 1)}`)) });
    const second = await start({ dir, product });
    expect(second.keys).toEqual(keys);
    await second.stop();
  }, 60_000);
});

describe('When a stack cannot start', () => {
  let blocker: ReturnType<typeof createServer> | undefined;
  afterEach(() => void blocker?.close());

  it('shows the end of the log of the service that failed, and stops the rest', async () => {
    const dir = folder();
    await expect(start({ dir, env: { receipts: { TOY: 'fails' } } })).rejects.toThrow(
      /receipts-1 ended while it started[\s\S]*toy: the configuration is not valid/,
    );
    const pidFile = join(dir, 'postgres', 'data', 'postmaster.pid');
    expect(statSync(pidFile, { throwIfNoEntry: false })).toBeUndefined();
  }, 60_000);

  it('shows nothing of what was logged before that start', async () => {
    const dir = folder();
    mkdirSync(join(dir, 'logs'));
    const log = join(dir, 'logs', 'receipts-1.log');
    writeFileSync(log, 'said long ago\n');
    await expect(start({ dir, env: { receipts: { TOY: 'fails' } } })).rejects.toThrow(
      `the end of ${log}:\ntoy: the configuration is not valid`,
    );
  }, 60_000);

  it('names the port that is in use and how to choose another', async () => {
    const portBase = await freePort();
    blocker = createServer().listen(portBase + 1, '127.0.0.1');
    await expect(start({ portBase })).rejects.toThrow(`Port ${portBase + 1}, which webhooks-1 needs, is in use by another program`);
  });
});

describe('When a process of a stack crashes', () => {
  it('is started again where that was asked for, without the failpoint that may have killed it', async () => {
    const said: string[] = [];
    const stack = await start({
      restartCrashed: true,
      failpoints: { gateway: 'gateway.x.y.before_call:kill' },
      progress: { step: (_label, work) => work(), say: (line) => said.push(line) },
    });
    await fetch(`${stack.urls.gateway[0]!}/crash`).catch(() => undefined);
    await stack.exited('gateway');
    await until(() => environmentOf(stack.urls.gateway[0]!), { what: 'the gateway to answer again', timeoutMs: 10_000 });
    expect(said[0]).toMatch(/gateway-1 ended unexpectedly \(code 7\)/);
    const answer = await environmentOf(stack.urls.gateway[0]!);
    expect(answer['TIDEGATE_FAILPOINT']).toBeUndefined();
    await stack.stop();
  }, 60_000);
});
