import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WebhookEndpointsView } from '@tidegate/contracts/ops/webhook-endpoints';
import { demonstrate } from '../src/demo.js';
import { type Stack } from '../src/stack/stack.js';
import { startStack } from '../src/stack/start-stack.js';

describe('When the demonstration runs on the built product', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tidegate-demonstration-'));
  const said: string[] = [];
  const progress = { step: <T>(_label: string, work: () => Promise<T>) => work(), say: (line: string) => void said.push(line) };
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ dir, fsync: false });
  });
  afterAll(async () => {
    await stack.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it('carries a payment to a receipt in a named file, and every step succeeds', async () => {
    await demonstrate({ stack, progress, realStripe: false });
    expect(said.filter((line) => !line.startsWith('✓'))).toEqual([]);
    const file = /written to (.*\.pdf)$/.exec(said.find((line) => line.includes('Receipt')) ?? '')?.[1] ?? '';
    expect(existsSync(file)).toBe(true);
    expect(readFileSync(file).subarray(0, 5).toString()).toBe('%PDF-');
    expect(said.at(-1)).toMatch(/^✓ One trace ties them together: [0-9a-f]{32}$/);
  });

  it('has an endpoint at Stripe as Tidegate needs it, so that an operator who asks finds nothing', async () => {
    const authorization = `Bearer ${stack.keys.default}`;
    const answer = await fetch(`${stack.urls.gateway}/v1/ops/webhook-endpoints`, { headers: { authorization } });
    const view = WebhookEndpointsView.parse(await answer.json());
    expect([view.findings, view.endpoints.map(({ ours, drift }) => ({ ours, drift }))]).toEqual([[], [{ ours: true, drift: [] }]]);
  });

  it('names the step that fails and why', async () => {
    await stack.kill('payments');
    await expect(demonstrate({ stack, progress, realStripe: false })).rejects.toThrow(/POST \/v1\/payments answered 503/);
    await stack.restart('payments');
  });
});
