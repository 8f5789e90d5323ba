import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PaymentView, ReceiptView } from '@tidegate/contracts/responses';
import { type Stack } from '@tidegate/local-stack/stack/stack';
import { startStack } from '@tidegate/local-stack/stack/start-stack';
import { type StackOptions } from '@tidegate/local-stack/stack/stack-options';
import pg from 'pg';
import { Client } from './client.js';
import { disagreements } from './invariants.js';
import { truthOf, type Truth } from './truth.js';

/** A whole Tidegate of its own, with its client, its truth and its database, made to be tormented. */
export interface Arena {
  stack: Stack;
  client: Client;
  truth(): Promise<Truth>;
  /** Orders a fault of the simulator, as `POST /__faults` takes it. */
  fault(order: Record<string, unknown>): Promise<void>;
  clearFaults(): Promise<void>;
  sql<T extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<T[]>;
  /** Resolves when our record equals the truth and every payment has what it should have; fails with what still differs. */
  settled(withinMs?: number): Promise<{ payments: PaymentView[]; receipts: ReceiptView[] }>;
  close(): Promise<void>;
}

/** Waits that take minutes in production and would make tests slow. */
const HASTE: Record<string, string> = {
  REFUND_ABSENCE_SECONDS: '2',
  WEBHOOKS_SWEEP_SECONDS: '2',
  WEBHOOKS_SWEEP_SETTLE_SECONDS: '1',
  RECONCILIATION_STALE_SECONDS: '2',
  RECONCILIATION_QUIET_SECONDS: '1',
  CIRCUIT_BREAKER_FAILURE_THRESHOLD: '1000',
};

export async function openArena(options: Partial<StackOptions> = {}): Promise<Arena> {
  const dir = mkdtempSync(join(tmpdir(), 'tidegate-arena-'));
  const { env = {}, ...rest } = options;
  const stack = await startStack({ dir, fsync: false, caller: {}, ...rest, env: { ...env, '*': { ...HASTE, ...env['*'] } } });
  const client = new Client(stack.urls.gateway, stack.keys.default);
  const pool = new pg.Pool({ connectionString: stack.databaseUrl(), max: 2 });
  pool.on('error', () => undefined);
  const truth = () => truthOf(stack.urls.simulator);
  return {
    stack,
    client,
    truth,
    fault: (order) => control(stack, 'POST', order),
    clearFaults: () => control(stack, 'DELETE'),
    sql: async <T extends pg.QueryResultRow>(text: string, values: unknown[] = []) => (await pool.query<T>(text, values)).rows,
    settled: (withinMs = 120_000) => settled(client, truth, withinMs),
    close: async () => {
      await client.close();
      await pool.end();
      await stack.stop();
      if (!process.env['TIDEGATE_KEEP_ARENA']) rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function settled(
  client: Client,
  truth: () => Promise<Truth>,
  withinMs: number,
): Promise<{ payments: PaymentView[]; receipts: ReceiptView[] }> {
  const giveUpAt = Date.now() + withinMs;
  for (;;) {
    const payments = await client.all<PaymentView>('/v1/payments');
    const receipts = await client.all<ReceiptView>('/v1/receipts');
    const wrong = disagreements(await truth(), payments, receipts);
    if (wrong.length === 0) return { payments, receipts };
    if (Date.now() > giveUpAt)
      throw new Error(`Not settled after ${withinMs} ms; ${wrong.length} disagreements:\n${wrong.slice(0, 20).join('\n')}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function control(stack: Stack, method: 'POST' | 'DELETE', order?: Record<string, unknown>): Promise<void> {
  const answer = await fetch(`${stack.urls.simulator}/__faults`, {
    method,
    ...(order ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(order) } : {}),
  });
  if (!answer.ok) throw new Error(`${method} /__faults answered ${answer.status}: ${await answer.text()}`);
}
