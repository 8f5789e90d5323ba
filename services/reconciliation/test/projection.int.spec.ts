import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { exampleStripeEvent, type NormalizedStripeEvent } from '@tidegate/contracts/events/stripe-event';
import { openDatabase } from '@tidegate/database/database';
import type { Incoming } from '@tidegate/messaging/subscriber';
import { createLogger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { projectionChecksums } from '../src/projection/checksum.js';
import { paymentsProjector } from '../src/projection/payments.consumer.js';
import { stripeEventsProjector, stripeEventsReplay } from '../src/projection/stripe-events.consumer.js';
import type { ReconciliationTables } from '../src/tables.js';
import { openWorkbench, snapshot, type Workbench } from './workbench.js';

const silent = createLogger({ service: 'reconciliation', level: 'silent' });

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
}, 60_000);
afterEach(() => clear());
afterAll(() => bench.shutDown());

async function clear(): Promise<void> {
  for (const table of ['recorded_payments', 'recorded_refunds', 'stripe_objects'] as const) await bench.db.deleteFrom(table).execute();
}

const inTx = (work: Parameters<ReturnType<typeof bench.db.transaction>['execute']>[0]) => bench.db.transaction().execute(work);

const said = (id: string, status: string, created: number, object: object = {}): Incoming<NormalizedStripeEvent> =>
  ({
    subject: 'stripe.events.payment_intent.x.v1',
    envelope: {
      id: `message of ${id}`,
      tenant: 'default',
      account: null,
      correlation_id: id,
      traceparent: null,
      occurred_at: new Date(created * 1000).toISOString(),
      data: { ...exampleStripeEvent, stripe_event_id: id, created, object: { ...exampleStripeEvent.object, status, ...object } },
    },
  }) as unknown as Incoming<NormalizedStripeEvent>;

const replay = async (events: readonly Incoming[]) => {
  for (const event of events) await inTx((tx) => stripeEventsReplay(false).handle(tx, event, undefined));
};

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((one, i) => permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [one, ...rest]));
}

describe("What Stripe's events say", () => {
  it('is the same in every order, within one second, with repetitions', async () => {
    const flow = [
      said('evt_a', 'requires_payment_method', 100, { amount_captured: 0 }),
      said('evt_b', 'requires_action', 100, { amount_captured: 0 }),
      said('evt_c', 'processing', 100, { amount_captured: 0 }),
      said('evt_d', 'succeeded', 100),
    ];
    const sums = new Set<string>();
    for (const order of permutations(flow)) {
      await clear();
      await replay([...order, ...order.slice(0, 2)]);
      sums.add(JSON.stringify(await projectionChecksums(bench.db)));
    }
    expect(sums.size).toBe(1);
    expect(await bench.db.selectFrom('stripe_objects').select('status').executeTakeFirst()).toEqual({ status: 'succeeded' });
  });

  it('is reported once per event: processed, ignored or foreign', async () => {
    const live = said('evt_live', 'succeeded', 5);
    (live.envelope.data as NormalizedStripeEvent).livemode = true;
    const elsewhere = said('evt_elsewhere', 'succeeded', 5);
    elsewhere.envelope.account = 'acct_other';
    const product = said('evt_product', 'x', 5, { object: 'product', id: 'prod_1' });
    const handler = stripeEventsProjector({ livemode: false, staged: () => undefined });
    for (const event of [said('evt_ours', 'succeeded', 5), live, elsewhere, product])
      await inTx((tx) => handler.handle(tx, event, undefined));

    const { rows } = await sql<{ body: string }>`SELECT convert_from(bytes, 'UTF8') AS body FROM outbox ORDER BY id`.execute(bench.db);
    expect(rows.map((row) => JSON.parse(row.body).data)).toEqual([
      { stripe_event_id: 'evt_ours', consumer: 'reconciliation-stripe-events', outcome: 'processed', reason: null },
      { stripe_event_id: 'evt_live', consumer: 'reconciliation-stripe-events', outcome: 'foreign', reason: null },
      { stripe_event_id: 'evt_elsewhere', consumer: 'reconciliation-stripe-events', outcome: 'foreign', reason: null },
      { stripe_event_id: 'evt_product', consumer: 'reconciliation-stripe-events', outcome: 'ignored', reason: null },
    ]);
    expect(await bench.db.selectFrom('stripe_objects').select('event_id').execute()).toEqual([{ event_id: 'evt_ours' }]);
  });

  it('that could not be projected is reported as failed, without secrets; what is no event of Stripe is not', async () => {
    const handler = stripeEventsProjector({ livemode: false, staged: () => undefined });
    const reason = `Error: no ${['sk', 'test', 'abcdefghijkl'].join('_')}`;
    await inTx((tx) => handler.gaveUp!(tx, said('evt_dead', 'succeeded', 5), reason));
    await inTx((tx) => handler.gaveUp!(tx, { envelope: { data: {} } } as Incoming, reason));
    const { rows } = await sql<{ body: string }>`
      SELECT convert_from(bytes, 'UTF8') AS body FROM outbox WHERE convert_from(bytes, 'UTF8') LIKE '%"failed"%' ORDER BY id`.execute(
      bench.db,
    );
    const told = {
      stripe_event_id: 'evt_dead',
      consumer: 'reconciliation-stripe-events',
      outcome: 'failed',
      reason: 'Error: no sk_[secret]',
    };
    expect(rows.map((row) => JSON.parse(row.body).data)).toEqual([told]);
  });

  it('that is no normalized event is refused for good', async () => {
    const rubbish = { ...said('evt_x', 'succeeded', 1), envelope: { data: { nothing: true } } } as unknown as Incoming;
    await expect(inTx((tx) => stripeEventsReplay(false).handle(tx, rubbish, undefined))).rejects.toMatchObject({
      name: 'PermanentFailure',
    });
  });
});

describe('What payments says', () => {
  const told = (payment: object, version: number, epoch = 1): Incoming =>
    ({
      subject: 'payments.events.payment.succeeded.v1',
      messageId: `message ${epoch}/${version} of ${(payment as { payment_id?: string }).payment_id}`,
      epoch,
      envelope: { tenant: 'default', aggregate: { id: 'pay', version }, occurred_at: '2026-11-21T06:00:00.000Z', data: payment },
    }) as unknown as Incoming;
  const statusOf = async () => (await bench.db.selectFrom('recorded_payments').select('status').executeTakeFirst())?.status;

  it('is the newest version, and after a restore of its database the newest history', async () => {
    const payment = snapshot(bench);
    for (const [status, version, epoch] of [
      ['unknown', 1, 1],
      ['succeeded', 3, 1],
      ['processing', 2, 1],
    ] as const) {
      await inTx((tx) => paymentsProjector.handle(tx, told({ ...payment, status }, version, epoch), undefined));
    }
    expect(await statusOf()).toBe('succeeded');
    await inTx((tx) => paymentsProjector.handle(tx, told({ ...payment, status: 'unknown' }, 1, 2), undefined));
    expect(await statusOf()).toBe('unknown');
  });

  it('includes its refunds, each told about for the first time once', async () => {
    const payment = snapshot(bench);
    const refund = { id: 'rfd_00000009', status: 'pending', amount: 10, reason: null, stripe_refund: null };
    await inTx((tx) => paymentsProjector.handle(tx, told({ ...payment, refunds: [refund] }, 1), undefined));
    await inTx((tx) =>
      paymentsProjector.handle(
        tx,
        told({ ...payment, refunds: [{ ...refund, status: 'succeeded', stripe_refund: 're_9' }] }, 2),
        undefined,
      ),
    );
    expect(await bench.db.selectFrom('recorded_refunds').select(['status', 'stripe_refund', 'payment_id']).execute()).toEqual([
      { status: 'succeeded', stripe_refund: 're_9', payment_id: payment.payment_id },
    ]);
  });

  it('comes out the same however many of its events are handled together, in whatever order payments took turns', async () => {
    await bench.clear();
    const refund = (n: number, status: string, stripe_refund: string | null = null) => ({
      id: `rfd_0000${n}`,
      status,
      amount: 700,
      reason: null,
      stripe_refund,
    });
    const dispute = (n: number, status: string, withdrawn: number) => ({
      ...{ id: `dp_${n}`, charge: `ch_${n}`, status, reason: 'fraudulent', amount: 4200, currency: 'usd' },
      ...{ created_at: '2026-11-21T06:00:00.000Z', respond_by: '2026-11-28T06:00:00.000Z' },
      funds: withdrawn === 0 ? null : { currency: 'usd', withdrawn, reinstated: 0, fee: 0 },
    });
    const life = (n: number): object[] => [
      { status: 'unknown', amount_captured: 0 },
      { status: 'processing', amount_captured: 0 },
      {},
      { refunds: [refund(n, 'pending')] },
      { refunds: [refund(n, n % 2 ? 'failed' : 'succeeded', `re_${n}`)], amount_refunded: n % 2 ? 0 : 700 },
      { disputes: [dispute(n, 'needs_response', 4200)] },
      { disputes: [dispute(n, 'lost', 4200)], refunds: [refund(n, 'failed', `re_${n}`)] },
    ];
    const events = Array.from({ length: 8 }, (_, n) => {
      const payment = snapshot(bench, { stripe_payment_intent: `pi_${n}` });
      const all = life(n).map((shows, step) => {
        const message = told({ ...payment, ...shows }, step + 1, n === 7 && step > 4 ? 2 : 1);
        return { ...message, envelope: { ...message.envelope, occurred_at: new Date(1_795_000_000_000 + step * 1000).toISOString() } };
      });
      // One that comes late, and one that comes again.
      return n === 3 ? [all[0]!, all[3]!, all[1]!, all[2]!, ...all.slice(4), all[4]!] : all;
    });
    // Round and round, each payment a step behind the one before.
    const turns = Array.from({ length: 30 }, (_, turn) => events.flatMap((all, n) => all[turn - n] ?? [])).flat();
    expect(turns).toHaveLength(8 * 7 + 1);
    const sums: unknown[] = [];
    for (const together of [1, 5, 16, turns.length]) {
      await bench.clear();
      for (let at = 0; at < turns.length; at += together)
        await inTx((tx) => paymentsProjector.handleAll!(tx, turns.slice(at, at + together)));
      sums.push(await projectionChecksums(bench.db));
    }
    expect(sums[0]).toMatchObject({
      recorded_payments: { rows: 8 },
      recorded_refunds: { rows: 8 },
      recorded_disputes: { rows: 8 },
      ledger_payments: { rows: 8 },
    });
    expect(sums.slice(1)).toEqual([sums[0], sums[0], sums[0]]);
    await bench.clear();
  });

  it('about other things is passed over', async () => {
    await paymentsProjector.handle(null as never, { subject: 'payments.events.stripe_event.handled.v1' } as Incoming, undefined);
  });
});

describe('Checksums', () => {
  it('of tables that take longer than a statement may are told all the same', async () => {
    const open = (applicationName: string) =>
      openDatabase<ReconciliationTables>({ url: bench.adminUrl, poolSize: 1, applicationName }, silent);
    const [holder, { db, close }] = [open('holder'), open('checksums')];
    await sql`SET search_path = reconciliation`.execute(db);
    await sql`SET statement_timeout = '200ms'`.execute(db);
    const sums = await holder.db.transaction().execute(async (tx) => {
      await sql`LOCK TABLE reconciliation.recorded_payments`.execute(tx);
      const sums = projectionChecksums(db);
      await eventually(async () => {
        const { rows } = await sql`
          SELECT FROM pg_stat_activity WHERE application_name = 'checksums' AND wait_event_type = 'Lock' AND clock_timestamp() - query_start > interval '300 ms'`.execute(
          tx,
        );
        expect(rows).toHaveLength(1);
      });
      return { sums };
    });
    expect(await sums.sums).toEqual(await projectionChecksums(bench.db));
    for (const one of [holder.close, close]) await one();
  });
});
