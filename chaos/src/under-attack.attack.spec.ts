import { randomUUID } from 'node:crypto';
import { cpSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PaymentView } from '@tidegate/contracts/responses';
import { eventually } from '@tidegate/test-harness/eventually';
import { type Answer } from './client.js';
import { type Arena, openArena } from './arena.js';
import { redeliveries } from './inboxes.js';
import { OtlpCollector, orphans } from './otlp-collector.js';
import { findSecrets } from './secrets-scan.js';
import { randomFrom, seedOfThisRun } from './seed.js';
import { type StoryLog } from './step.js';
import { tellStories } from './story.js';

const seed = seedOfThisRun();
const collector = new OtlpCollector();
let arena: Arena;

beforeAll(async () => {
  console.info(`seed ${seed} (TIDEGATE_SEED=${seed} repeats it)`);
  const endpoint = await collector.start();
  arena = await openArena({
    replicas: { gateway: 2, payments: 3 },
    env: { '*': { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } },
  });
}, 180_000);

afterAll(async () => {
  await arena?.close();
  await collector.stop();
}, 60_000);

const create = (key: string, body: Record<string, unknown> = {}) => ({
  method: 'POST' as const,
  path: '/v1/payments',
  key,
  body: { amount: 4200, currency: 'usd', payment_method: 'pm_card_visa', ...body },
});

const times = <T>(n: number, make: (i: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: n }, (_, i) => make(i)));

const payment = (answer: Answer): PaymentView => JSON.parse(answer.body) as PaymentView;

async function intentsOf(paymentId: string): Promise<string[]> {
  const { payment_intents } = await arena.truth();
  return payment_intents.filter((i) => i.metadata['payment_id'] === paymentId).map((i) => i.id);
}

/** Load for as long as `during` takes; resolves with what the clients saw. */
async function underLoad(perSecond: number, during: () => Promise<void>): Promise<StoryLog & { statuses: number[]; lost: string[] }> {
  const { client } = arena;
  const [seen, lost] = [client.statuses.length, client.lost.length];
  const over = new AbortController();
  const load = tellStories(arena, randomFrom(seed), { count: Number.MAX_SAFE_INTEGER, perSecond, signal: over.signal });
  try {
    await during();
  } finally {
    over.abort();
  }
  return { ...(await load), statuses: client.statuses.slice(seen), lost: client.lost.slice(lost) };
}

const honest = (status: number): boolean => (status >= 200 && status < 300) || status === 503 || status === 422 || status === 409;

describe('One Idempotency-Key', () => {
  it('makes one PaymentIntent and 50 equal bodies out of 50 requests at once, over 2 gateways and 3 payments processes', async () => {
    const key = randomUUID();
    const answers = await times(50, () => arena.client.send(create(key)));
    expect(new Set(answers.map((a) => a.status))).toEqual(new Set([201]));
    expect(new Set(answers.map((a) => a.body)).size).toBe(1);
    expect(await intentsOf(payment(answers[0]!).id)).toHaveLength(1);
  });

  it('does so also while a payments process is killed', async () => {
    const key = randomUUID();
    const all = times(50, () => arena.client.send(create(key)));
    await arena.stack.kill('payments', 2);
    const answers = await all;
    await arena.stack.restart('payments', 2);
    const replayed = await arena.client.send(create(key));
    const certain = answers.filter((a) => payment(a).status === 'succeeded');
    expect(new Set(answers.map((a) => a.status))).toEqual(new Set([201]));
    expect(certain.every((a) => a.body === replayed.body)).toBe(true);
    expect(await intentsOf(payment(replayed).id)).toHaveLength(1);
  });

  it('is refused with another body, and required', async () => {
    const key = randomUUID();
    await arena.client.send(create(key));
    const other = await arena.client.send(create(key, { amount: 4300 }));
    const { key: _, ...without } = create(key);
    const missing = await arena.client.send(without);
    expect([other.status, JSON.parse(other.body).code]).toEqual([422, 'idempotency.mismatch']);
    expect([missing.status, JSON.parse(missing.body).code]).toEqual([400, 'idempotency.key_required']);
  });
});

describe('Fifty refunds at once', () => {
  it('give back no more than was captured', async () => {
    const paid = payment(await arena.client.send(create(randomUUID(), { amount: 1000 })));
    const answers = await times(50, () =>
      arena.client.send({ method: 'POST', path: `/v1/payments/${paid.id}/refunds`, key: randomUUID(), body: { amount: 90 } }),
    );
    const accepted = answers.filter((a) => a.status === 201);
    const refused = answers.filter((a) => a.status !== 201);
    expect(accepted).toHaveLength(11);
    expect(new Set(refused.map((a) => JSON.parse(a.body).code))).toEqual(new Set(['payments.refund_exceeds_captured']));
    // On a slow machine a refund is answered while it still runs.
    await arena.settled();
    const { refunds } = await arena.truth();
    expect(refunds.filter((r) => r.payment_intent === paid.stripe_payment_intent).reduce((sum, r) => sum + r.amount, 0)).toBe(990);
  });
});

describe('The trace of a payment', () => {
  it('is one connected tree from the POST to the rendered receipt', async () => {
    const answer = await arena.client.send(create(randomUUID()));
    const traceId = String(answer.headers['trace-id']);
    await eventually(
      () => {
        const spans = collector.trace(traceId);
        expect(new Set(spans.map((s) => s.service))).toEqual(expect.objectContaining(new Set(['gateway', 'payments', 'receipts'])));
        const names = spans.map((s) => s.name).join('\n');
        for (const expected of [/^POST \/v1\/payments/m, /^stripe\./m, /^publish /m, /^process /m, /render/m])
          expect(names).toMatch(expected);
        const roots = orphans(spans);
        expect(roots.map((s) => `${s.service} ${s.name}`)).toHaveLength(1);
        expect(roots[0]!.parentSpanId).toBeNull();
      },
      { timeoutMs: 20_000 },
    );
  });
});

describe('Webhooks delivered five times and shuffled, a tenth never', () => {
  it('end in the same record, with one receipt for each payment', async () => {
    await arena.fault({ fault: 'webhook_drop', probability: 0.1, seed });
    await arena.fault({ fault: 'webhook_duplicate', copies: 4, times: 0 });
    await arena.fault({ fault: 'webhook_reorder', times: 0 });
    const log = await tellStories(arena, randomFrom(seed), { count: 40, perSecond: 20 });
    await arena.settled();
    await eventually(
      async () => {
        const [row] = await arena.sql<{ stored: string }>(
          "SELECT count(*) AS stored FROM webhooks.stripe_events WHERE processing_outcome IN ('processed', 'ignored')",
        );
        expect(Number(row!.stored)).toBe((await arena.truth()).events.length);
      },
      { timeoutMs: 120_000, everyMs: 250 },
    );
    await arena.clearFaults();
    expect(log.surprises).toEqual([]);
  }, 300_000);
});

describe("Stripe's answers lost or broken", () => {
  it.each(['reset_before', 'reset_after', 'cut_body', 'error_500_before', 'error_500_after'])(
    'by %s: nothing is charged or refunded twice, and the record equals the truth',
    async (fault) => {
      await arena.fault({ fault, route: 'POST /v1/*', probability: 0.3, seed });
      const log = await arena.inHaste(() => tellStories(arena, randomFrom(seed), { count: 12, perSecond: 12 }));
      await arena.clearFaults();
      await arena.settled();
      expect(log.surprises).toEqual([]);
    },
    300_000,
  );
});

describe('SIGTERM to each service in turn, under load', () => {
  it('is answered with exit 0 within 20 s, and clients see only honest answers', async () => {
    const exits: Record<string, number | null> = {};
    const before = await redeliveries(arena);
    const seen = await underLoad(4, async () => {
      const restarts: Promise<void>[] = [];
      for (const name of ['gateway', 'payments', 'webhooks', 'receipts', 'reconciliation'] as const) {
        if (name === 'gateway') arena.client.useOnly(arena.stack.urls.gateway.slice(1));
        const startedAt = Date.now();
        const exit = await arena.stack.kill(name, 1, 'SIGTERM');
        exits[name] = exit?.code ?? null;
        expect(Date.now() - startedAt).toBeLessThan(20_000);
        restarts.push(arena.stack.restart(name, 1));
      }
      await Promise.all(restarts);
      arena.client.useOnly(arena.stack.urls.gateway);
    });
    expect(exits).toEqual({ gateway: 0, payments: 0, webhooks: 0, receipts: 0, reconciliation: 0 });
    expect(seen.statuses.filter((s) => !honest(s))).toEqual([]);
    expect(seen.lost).toEqual([]);
    expect(seen.surprises).toEqual([]);
    for (const [durable, now] of Object.entries(await redeliveries(arena))) {
      expect(now.redelivered - (before[durable]?.redelivered ?? 0)).toBeLessThanOrEqual(now.prefetch);
    }
  }, 300_000);
});

describe('Postgres restarted under load', () => {
  it('costs 503s, no wrong answer, and heals by itself', async () => {
    const seen = await underLoad(6, async () => {
      await arena.stack.restartPostgres();
      await eventually(async () => expect((await arena.client.once(create(randomUUID()))).status).toBe(201), { timeoutMs: 20_000 });
    });
    expect(seen.statuses.filter((s) => !honest(s))).toEqual([]);
    expect(seen.surprises).toEqual([]);
    await arena.settled();
  }, 300_000);
});

describe('The broker killed at 20 requests a second, its store deleted', () => {
  it('loses nothing: every event once in every inbox, first delivery within 5 s, services untouched', async () => {
    const pids = () =>
      arena.stack
        .processes()
        .filter((p) => p.name !== 'nats')
        .map((p) => [p.name, p.replica, p.pid]);
    const before = pids();
    let firstDeliveryMs = Number.NaN;
    const seen = await underLoad(10, async () => {
      await arena.stack.killNats();
      arena.stack.wipeNats();
      await arena.stack.startNats();
      const returned = Date.now();
      const [{ stored }] = (await arena.sql<{ stored: string }>('SELECT count(*) AS stored FROM receipts.inbox')) as [{ stored: string }];
      await eventually(
        async () => {
          const [now] = await arena.sql<{ stored: string }>('SELECT count(*) AS stored FROM receipts.inbox');
          expect(Number(now!.stored)).toBeGreaterThan(Number(stored));
        },
        { timeoutMs: 15_000 },
      );
      firstDeliveryMs = Date.now() - returned;
    });
    expect(seen.statuses.filter((s) => !honest(s))).toEqual([]);
    expect(firstDeliveryMs).toBeLessThan(5_000);
    await arena.settled();
    await arena.inboxesEven();
    expect(pids()).toEqual(before);
  }, 300_000);
});

/** How much payments staged above this position and receipts consumed, and over what time it was staged. */
async function consumedBeyond(head: string): Promise<{ messages: number; seconds: number }> {
  const rows = await arena.sql<{ messages: number; seconds: number }>(
    `SELECT count(*)::int AS messages, coalesce(extract(epoch FROM max(staged_at) - min(staged_at)), 0)::float8 AS seconds
       FROM payments.outbox JOIN receipts.inbox USING (position) WHERE position > $1 AND state = 'done'`,
    [head],
  );
  return rows[0]!;
}

describe.each([
  ['all of its disk', (store: string) => store],
  ["only its streams' files", (store: string) => join(store, 'jetstream')],
])('The broker restored to an older copy of %s', (_what, part) => {
  it('loses and doubles nothing', async () => {
    const copy = join(tmpdir(), `tidegate-tail-${randomUUID()}`);
    const source = part(arena.stack.natsStore);
    await arena.stack.killNats();
    cpSync(source, copy, { recursive: true });
    const [{ head }] = (await arena.sql<{ head: string }>('SELECT max(position) AS head FROM payments.outbox')) as [{ head: string }];
    await arena.stack.startNats();
    await underLoad(6, async () => {
      await eventually(
        async () => {
          const { messages, seconds } = await consumedBeyond(head);
          expect(messages).toBeGreaterThanOrEqual(60);
          expect(seconds).toBeGreaterThanOrEqual(10);
        },
        { timeoutMs: 60_000, everyMs: 250 },
      );
      await arena.stack.killNats();
      rmSync(source, { recursive: true, force: true });
      cpSync(copy, source, { recursive: true });
      await arena.stack.startNats();
    });
    rmSync(copy, { recursive: true, force: true });
    await arena.settled();
    await arena.inboxesEven();
  }, 300_000);
});

describe('After all of it', () => {
  it('no planted secret or card number is in a log, table, message, trace or PDF', async () => {
    expect(await findSecrets(arena, collector.text())).toEqual([]);
  }, 60_000);
});
