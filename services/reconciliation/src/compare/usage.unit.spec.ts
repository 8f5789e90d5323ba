import { describe, expect, it } from '@jest/globals';
import { MOST_BILLED } from '@tidegate/contracts/rpc/billed-usage';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { type RouteRequest, RPC } from '@tidegate/contracts/rpc/routes';
import { RpcUnavailable } from '@tidegate/messaging/rpc';
import { counterOf, usageId } from './usage.decide.js';
import { usageOverRpc } from './usage.rpc.js';

const NOW = new Date('2026-11-21T10:30:00Z');
const period = { gte: 1_763_596_800, lt: 1_763_683_200 };

function payments(...answers: (object | Error)[]) {
  return patient(600, ...answers);
}

function patient(patienceMs: number, ...answers: (object | Error)[]) {
  const asked: RouteRequest[] = [];
  const request = async <T>(_: string, body: unknown): Promise<T> => {
    asked.push(body as RouteRequest);
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer as T;
  };
  return { asked, usage: usageOverRpc({ request }, { livemode: false, patienceMs, now: () => NOW }) };
}

const page = { object: 'usage_comparison', compared: 1, agreeing: 1, pending: 0, differences: [], next_cursor: null };
const query = { tenant: 'default', period, cursor: null, unconfirmedToo: false };
const pass = { stopping: new AbortController().signal, alive: () => undefined };
const away = () => new RpcUnavailable(RPC.usageCompare, 'nobody is there');

describe('The name of an hour of usage', () => {
  it('is read back whatever the meter is called', () => {
    const counter = { customer: 'cus_1', meter: 'a/b c/', hour: '2026-11-21T06:00:00.000Z' };
    expect(usageId(counter)).toBe('cus_1/a/b c//2026-11-21T06');
    expect(counterOf(usageId(counter))).toEqual(counter);
  });
});

describe('What payments is asked', () => {
  it('is a page of hours of a tenant, or of everybody with what nobody has confirmed', async () => {
    const { asked, usage } = payments(jsonReply(200, page), jsonReply(200, page));
    expect(await usage.page(query, pass)).toMatchObject({ kind: 'ok', value: { compared: 1, next_cursor: null } });
    await usage.page({ tenant: null, period, cursor: 'next', unconfirmedToo: true }, pass);
    expect(asked.map(({ body }) => body)).toEqual([
      { from: '2025-11-20T00:00:00.000Z', to: '2025-11-21T00:00:00.000Z', cursor: null, tenant: 'default' },
      {
        from: '2025-11-20T00:00:00.000Z',
        to: '2025-11-21T00:00:00.000Z',
        cursor: 'next',
        unconfirmed_from: '2026-10-17T10:30:00.000Z',
      },
    ]);
  });

  it('is asked again while payments is away, and for so long only', async () => {
    const back = payments(away(), jsonReply(200, page));
    expect(await back.usage.page(query, pass)).toMatchObject({ kind: 'ok' });
    const gone = payments(away(), away(), away());
    await expect(gone.usage.page(query, pass)).rejects.toThrow('nobody is there');
    expect(gone.asked).toHaveLength(2);
  });

  it('is asked by one that shows that it is alive meanwhile, and ends when it is told to', async () => {
    const { usage } = patient(60_000, away(), away(), away());
    const shutdown = new AbortController();
    let alive = 0;
    const told = () => {
      alive += 1;
      if (alive === 2) shutdown.abort();
    };
    await expect(usage.page(query, { stopping: shutdown.signal, alive: told })).rejects.toThrow();
    expect(alive).toBe(2);
  });

  it('is what invoices bill, as much at once as fits, and what it had no time for again', async () => {
    const billed = Array.from({ length: MOST_BILLED + 2 }, (_, n) => ({
      invoice: `in_${n}`,
      customer: 'cus_1',
      subscription: 'sub_1',
      price: 'price_1',
      start: 0,
      end: 3600,
      finalized_at: 7200,
      quantities: ['1'],
      settled: null,
    }));
    const told = { object: 'billed_usage_comparison', compared: 1, agreeing: 1, pending: 0, differences: [], not_compared: [] };
    const { asked, usage } = payments(jsonReply(200, { ...told, looked_at: 1 }), jsonReply(200, { ...told, looked_at: MOST_BILLED }), {
      ...jsonReply(200, { ...told, looked_at: 1, not_compared: [{ invoice: 'in_501' }] }),
    });
    expect(await usage.billed(billed, pass)).toMatchObject({ kind: 'ok', value: { compared: 3, not_compared: [{ invoice: 'in_501' }] } });
    const bodies = asked.map(({ body }) => (body as { billed: { invoice: string }[] }).billed.map(({ invoice }) => invoice));
    expect(bodies.map((ids) => [ids.length, ids[0]])).toEqual([
      [MOST_BILLED, 'in_0'],
      [MOST_BILLED, 'in_1'],
      [1, 'in_501'],
    ]);
    expect(await payments().usage.billed([], pass)).toMatchObject({ kind: 'ok', value: { compared: 0 } });
  });

  it('may have no answer of Stripe’s, which is not the same as none of payments', async () => {
    const { usage } = payments(jsonReply(503, { code: 'payments.stripe_unavailable' }));
    expect(await usage.page(query, pass)).toMatchObject({ kind: 'refused' });
    const broken = payments(jsonReply(500, {}), jsonReply(500, {}));
    await expect(broken.usage.page(query, pass)).rejects.toThrow('status 500');
  });
});
