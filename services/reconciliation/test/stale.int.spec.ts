import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RpcTimeout, RpcUnavailable } from '@tidegate/messaging/rpc';
import { reconciliationMetrics } from '../src/reconciliation-metrics.js';
import { resolveStale, type StaleParts } from '../src/stale/stale.loop.js';
import { AskedPayments, openWorkbench, record, silent, snapshot, type Workbench } from './workbench.js';

let bench: Workbench;
let payments: AskedPayments;

beforeAll(async () => {
  bench = await openWorkbench();
}, 60_000);
beforeEach(async () => {
  await bench.clear();
  payments = new AskedPayments();
});
afterAll(() => bench.shutDown());

const parts = (): StaleParts => ({
  db: bench.db,
  clock: bench.clock,
  logger: silent,
  metrics: reconciliationMetrics(bench.metrics, bench.db),
  repair: payments,
  staleSeconds: 60,
});
const pass = async () => {
  payments.requests.length = 0;
  await resolveStale(parts(), new AbortController().signal);
  return payments.requests.map((one) => one.payment_id);
};

async function stripeSays(intent: string, status: string): Promise<void> {
  const now = bench.clock.now();
  const row = {
    object: 'payment_intent',
    payment_intent: intent,
    payment_id: null,
    tenant: 'default',
    amount: 1,
    amount_captured: 0,
    amount_refunded: null,
    currency: 'usd',
    livemode: false,
    stripe_created: now,
    standing: 2,
    as_of: now,
    status_rank: 0,
    event_id: 'evt_1',
  };
  await bench.db
    .insertInto('stripe_objects')
    .values({ object_id: intent, status, ...row })
    .execute();
}

describe('Each minute', () => {
  it('payments that stay unknown are looked up, with or without an intent id, and no others', async () => {
    const [lost, nameless] = [
      snapshot(bench, { status: 'unknown', stripe_payment_intent: 'pi_lost' }),
      snapshot(bench, { status: 'unknown' }),
    ];
    await record(bench, lost);
    await record(bench, nameless, 'other');
    await record(bench, snapshot(bench, { status: 'succeeded' }));
    await record(bench, snapshot(bench, { status: 'requires_payment_method' }));
    expect(await pass()).toEqual([]);

    bench.advance(61);
    expect((await pass()).sort()).toEqual([lost.payment_id, nameless.payment_id].sort());
    expect(payments.requests.find((one) => one.payment_id === nameless.payment_id)).toEqual({
      tenant: 'other',
      payment_id: nameless.payment_id,
      stripe_payment_intent: null,
      reason: 'stale: unknown',
      actor: 'service:reconciliation',
    });
  });

  it('a payment of which Stripe has said something else is looked up, even a final one', async () => {
    const [behind, wrong, fine] = [
      snapshot(bench, { status: 'processing', stripe_payment_intent: 'pi_behind' }),
      snapshot(bench, { status: 'canceled', stripe_payment_intent: 'pi_wrong' }),
      snapshot(bench, { status: 'succeeded', stripe_payment_intent: 'pi_fine' }),
    ];
    for (const payment of [behind, wrong, fine]) await record(bench, payment);
    for (const id of ['pi_behind', 'pi_wrong', 'pi_fine']) await stripeSays(id, 'succeeded');
    bench.advance(61);
    expect((await pass()).sort()).toEqual([behind.payment_id, wrong.payment_id].sort());
    expect(payments.requests[0]!.reason).toBe('stale: stripe says succeeded');
  });

  it('a payment with an unknown refund is looked up', async () => {
    const payment = snapshot(bench, { refunds: [{ id: 'rfd_00000001', status: 'unknown', amount: 5, reason: null, stripe_refund: null }] });
    await record(bench, payment);
    bench.advance(61);
    expect(await pass()).toEqual([payment.payment_id]);
  });

  it('the same one is asked about less and less often', async () => {
    await record(bench, snapshot(bench, { status: 'unknown' }));
    bench.advance(61);
    const asked = [];
    for (let minute = 0; minute < 16; minute += 1, bench.advance(60)) if ((await pass()).length > 0) asked.push(minute);
    expect(asked).toEqual([0, 1, 3, 7, 15]);
  });

  it('nothing is lost while payments is away', async () => {
    const stale = Array.from({ length: 3 }, () => snapshot(bench, { status: 'unknown' }));
    for (const payment of stale) await record(bench, payment);
    bench.advance(61);
    payments.answer = new RpcUnavailable('payments.rpc.payment.repair.v1', 'nobody answers this subject');
    expect(await pass()).toHaveLength(1);
    payments.answer = new RpcTimeout('payments.rpc.payment.repair.v1');
    expect(await pass()).toHaveLength(2);

    payments.answer = { kind: 'asked' };
    bench.advance(61);
    expect((await pass()).sort()).toEqual(stale.map((one) => one.payment_id).sort());
    expect(await bench.metrics.registry.metrics()).toContain('job_errors_total{job="stale_payments",error_type="payments_unavailable"} 3');
  });

  it('an answer that cannot be read holds up nobody else', async () => {
    const stale = Array.from({ length: 3 }, () => snapshot(bench, { status: 'unknown' }));
    for (const payment of stale) await record(bench, payment);
    bench.advance(61);
    payments.answer = new SyntaxError('Unexpected end of JSON input');
    expect(await pass()).toHaveLength(3);
    expect(await pass()).toHaveLength(0);
    expect(await bench.metrics.registry.metrics()).toContain('job_errors_total{job="stale_payments",error_type="internal"} 3');
  });

  it('a full batch is not asked for again at once while payments is away', async () => {
    for (let i = 0; i < 101; i += 1) await record(bench, snapshot(bench, { status: 'unknown' }));
    bench.advance(61);
    payments.answer = new RpcUnavailable('payments.rpc.payment.repair.v1', 'nobody answers this subject');
    expect(await resolveStale(parts(), new AbortController().signal)).toBe(0);
    payments.answer = { kind: 'asked' };
    expect(await resolveStale(parts(), new AbortController().signal)).toBe(100);
  });
});
