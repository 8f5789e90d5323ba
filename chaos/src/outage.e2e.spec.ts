import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PaymentView } from '@tidegate/contracts/responses';
import { eventually } from '@tidegate/test-harness/eventually';
import { type Answer } from './client.js';
import { type Arena, openArena } from './arena.js';

const RECOVERY_MS = 2_000;
const RATE = 80;
const PER_SECOND = 15;
/** The long form: TIDEGATE_OUTAGE_SECONDS=60. */
const OUTAGE_MS = Number(process.env['TIDEGATE_OUTAGE_SECONDS'] ?? 3) * 1000;

let arena: Arena;
beforeAll(async () => {
  arena = await openArena({
    services: ['gateway', 'payments'],
    replicas: { payments: 3 },
    env: {
      '*': {
        CIRCUIT_BREAKER_FAILURE_THRESHOLD: '5',
        CIRCUIT_BREAKER_RECOVERY_TIMEOUT: String(RECOVERY_MS / 1000),
        STRIPE_REQUEST_RATE_LIMIT: String(RATE),
        STRIPE_DEADLINE_MS: '2000',
        STRIPE_SLOW_CALL_MS: '1000',
        PAYMENT_NOT_AFTER_SECONDS: '3600',
      },
    },
  });
}, 180_000);
afterAll(() => arena?.close(), 60_000);

interface Seen {
  answer: Answer;
  sync: boolean;
}

/** New payments at a fixed rate until `done` ends, every third with `Prefer: respond-async`; each is asked for once. */
async function underLoad(done: () => Promise<void>): Promise<Seen[]> {
  const over = new AbortController();
  const sent: Promise<Seen>[] = [];
  const load = (async () => {
    for (let i = 0; !over.signal.aborted; i += 1) {
      const sync = i % 3 !== 0;
      const body = { amount: 4200, currency: 'usd', payment_method: 'pm_card_visa' };
      const headers: Record<string, string> = sync ? {} : { prefer: 'respond-async' };
      sent.push(
        arena.client.once({ method: 'POST', path: '/v1/payments', key: randomUUID(), body, headers }).then((answer) => ({ answer, sync })),
      );
      await delay(1000 / PER_SECOND);
    }
  })();
  try {
    await done();
  } finally {
    over.abort();
    await load;
  }
  return Promise.all(sent);
}

interface Change {
  to_state: string;
  at: number;
}

const changes = async (since: number): Promise<Change[]> =>
  (
    await arena.sql<{ to_state: string; at: Date }>(
      `SELECT to_state, at FROM stripe_gateway.transitions WHERE breaker = 'stripe' AND at > to_timestamp($1::float8 / 1000) ORDER BY id`,
      [since],
    )
  ).map(({ to_state, at }) => ({ to_state, at: at.getTime() }));

const writes = async (since: number): Promise<number[]> =>
  (await arena.truth()).requests
    .filter(({ method, at }) => method === 'POST' && Date.parse(at) >= since)
    .map(({ at }) => Date.parse(at))
    .sort((a, b) => a - b);

const becomes = (since: number, state: string) =>
  eventually(async () => expect((await changes(since)).at(-1)?.to_state).toBe(state), { timeoutMs: 30_000, everyMs: 100 });

const probesIn = (all: readonly Change[]): Change[] => all.filter(({ to_state }) => to_state === 'half_open');

const probed = (since: number, times: number) =>
  eventually(async () => expect(probesIn(await changes(since)).length).toBeGreaterThanOrEqual(times), { timeoutMs: 30_000, everyMs: 100 });

/** Calls that each process of payments made to Stripe so far. */
const callsOfEach = (): Promise<number[]> =>
  Promise.all(
    arena.stack.urls.payments.map(async (url) => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return [...text.matchAll(/^stripe_requests_total\{.*\} (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
    }),
  );

/** Resolves when every process has called Stripe since: the load is steady. */
async function loadReachesAll(): Promise<void> {
  const before = await callsOfEach();
  await eventually(async () => (await callsOfEach()).forEach((calls, i) => expect(calls).toBeGreaterThan(before[i]!)), { everyMs: 100 });
}

/** Resolves when what was queued is sent and Stripe was called for a whole second after the breaker closed. */
const backInFull = (closedAt: number) =>
  eventually(
    async () => {
      expect(await arena.sql(`SELECT id FROM payments.payments WHERE status = 'queued'`)).toEqual([]);
      expect((await writes(closedAt)).at(-1)).toBeGreaterThan(closedAt + 1_000);
    },
    { timeoutMs: 30_000, everyMs: 100 },
  );

async function reset(): Promise<void> {
  for (const name of ['stripe', 'stripe_reads', 'stripe_usage'])
    await arena.client.send({ method: 'POST', path: `/v1/ops/breakers/${name}/reset`, body: { reason: 'the next drill' } });
  // What a 429 left of the rate comes back in ten seconds; nobody waits for that here.
  await arena.sql('UPDATE stripe_gateway.limiter SET factor = 1, limited_at = NULL');
}

/** Every payment of ours is charged once, or was never sent. */
async function settled(seen: readonly Seen[]): Promise<void> {
  await arena.inHaste(() =>
    eventually(
      async () => {
        const payments = await arena.client.all<PaymentView>('/v1/payments');
        const open = payments.filter(({ status }) => !['succeeded', 'canceled', 'failed'].includes(status));
        expect(open.map(({ id, status }) => `${id} ${status}`)).toEqual([]);
      },
      { timeoutMs: 60_000, everyMs: 500 },
    ),
  );
  const { payment_intents } = await arena.truth();
  const charged = new Map<string, number>();
  for (const { status, metadata } of payment_intents) {
    if (status === 'succeeded') charged.set(metadata['payment_id'] ?? '', (charged.get(metadata['payment_id'] ?? '') ?? 0) + 1);
  }
  expect([...charged.values()].filter((times) => times > 1)).toEqual([]);
  const accepted = seen.filter(({ answer, sync }) => !sync && answer.status === 202);
  expect(accepted.length).toBeGreaterThan(0);
  for (const { answer } of accepted) {
    const { id } = JSON.parse(answer.body) as PaymentView;
    const { status } = await arena.client.get<PaymentView>(`/v1/payments/${id}`);
    expect(status === 'succeeded' ? charged.get(id) : status).toBe(status === 'succeeded' ? 1 : 'canceled');
  }
}

/**
 * By how many the calls since an instant (sorted, as they arrived) were at most ahead of the rate. What arrives late never adds to it, so a machine that stands still
 * for a moment changes nothing.
 */
const mostAhead = (since: number, times: readonly number[]): number =>
  Math.max(0, ...times.map((at, n) => n + 1 - (RATE * (at - since)) / 1_000));

describe.each<[string, Record<string, unknown>]>([
  ['answers 503', { fault: 'error_503' }],
  ['hangs', { fault: 'hang' }],
  ['is slow', { fault: 'slow', ms: 1_300 }],
])('While Stripe %s, three processes under steady load', (what, fault) => {
  it('call it no more within a second, then send one probe per recovery time, and come back within the limit', async () => {
    await reset();
    const since = Date.now();
    const seen = await underLoad(async () => {
      await loadReachesAll();
      if (what === 'answers 503') arena.stack.signal('payments', 3, 'SIGSTOP');
      await arena.fault({ ...fault, route: 'POST /v1/*', times: 0 });
      await becomes(since, 'open');
      // It stands still for longer than what it knows of the breakers may be believed.
      await delay(1_500);
      if (what === 'answers 503') arena.stack.signal('payments', 3, 'SIGCONT');
      await delay(OUTAGE_MS);
      await probed(since, 2);
      await arena.clearFaults();
      await becomes(since, 'closed');
      await backInFull((await changes(since)).at(-1)!.at);
    });
    const all = await changes(since);
    const [opened, closed] = [all.find(({ to_state }) => to_state === 'open')!, all.at(-1)!];
    const probes = probesIn(all);
    expect(probes.length).toBeGreaterThanOrEqual(2);
    probes.slice(1).forEach(({ at }, index) => expect(at - probes[index]!.at).toBeGreaterThanOrEqual(RECOVERY_MS));
    const calls = await writes(since);
    const late = calls.filter((at) => at > opened.at + 1_000 && at < closed.at);
    expect(late.length).toBeLessThanOrEqual(probes.length);
    for (const at of late) expect(probes.some((probe) => at >= probe.at - 5 && at - probe.at < 1_000)).toBe(true);
    const back = calls.filter((at) => at >= closed.at);
    expect(mostAhead(closed.at, back)).toBeLessThanOrEqual(RATE / 4);

    const refused = seen.filter(({ answer, sync }) => sync && answer.status === 503);
    expect(refused.length).toBeGreaterThan(PER_SECOND);
    for (const { answer } of refused) expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    await settled(seen);
  }, 180_000);
});

describe('While Stripe limits us, three processes under steady load', () => {
  it('keep the breaker closed and slow down', async () => {
    await reset();
    const since = Date.now();
    await underLoad(async () => {
      await arena.fault({ fault: 'rate_limit', route: 'POST /v1/*', times: 0 });
      await delay(3_000);
      await arena.clearFaults();
    });
    expect((await changes(since)).filter(({ to_state }) => to_state !== 'closed')).toEqual([]);
    const calls = await writes(since);
    expect(calls.filter((at) => at > since + 2_000 && at < since + 3_000).length).toBeLessThan(PER_SECOND);
    await reset();
  }, 120_000);
});

describe('While Stripe refuses the key, three processes under steady load', () => {
  it('make no call of any kind until a reset', async () => {
    await reset();
    const since = Date.now();
    await underLoad(async () => {
      await arena.fault({ fault: 'auth_expired', route: 'POST /v1/*', times: 0 });
      await becomes(since, 'auth');
      await delay(2_000);
      await arena.clearFaults();
    });
    const latched = (await changes(since)).at(-1)!;
    const { requests } = await arena.truth();
    expect(requests.filter(({ at }) => Date.parse(at) > latched.at + 1_000)).toEqual([]);
    const metrics = await Promise.all(arena.stack.urls.payments.map(async (url) => (await fetch(`${url}/metrics`)).text()));
    for (const text of metrics)
      for (const name of ['stripe', 'stripe_reads', 'stripe_usage']) expect(text).toContain(`circuit_state{breaker_name="${name}"} 4`);
    await reset();
    await eventually(async () => {
      const answer = await arena.client.once({
        method: 'POST',
        path: '/v1/payments',
        key: randomUUID(),
        body: { amount: 4200, currency: 'usd', payment_method: 'pm_card_visa' },
      });
      expect(answer.status).toBe(201);
    });
  }, 120_000);
});
