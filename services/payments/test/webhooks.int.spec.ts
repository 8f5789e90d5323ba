import { type Failpoints } from '@tidegate/database/failpoints';
import { type NormalizedStripeEvent } from '@tidegate/contracts/events/stripe-event';
import { type Incoming, TransientFailure } from '@tidegate/messaging/incoming';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { sql } from 'kysely';
import { rebuildPayments } from '../src/payment/payment.rebuild.js';
import { commandIdOf, refundIdOf } from '../src/idempotency/identity.js';
import { wishRefresh } from '../src/work/work.store.js';
import { deliver, deliverTogether, newsOf } from './stripe-news.js';
import { DECLINED, type PaymentsWorld, paymentsWorld, VISA } from './payments-world.js';

jest.setTimeout(60_000);

/** A seeded shuffle, so that a failure can be repeated. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  let state = seed;
  const random = () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

describe("Stripe's news", () => {
  let world: PaymentsWorld;
  beforeAll(async () => {
    world = await paymentsWorld();
  });
  afterEach(() => world.simulator.clearFaults());
  afterAll(() => world.close());

  const rows = () =>
    world.db
      .selectFrom('payments')
      .select(['id', 'status', 'amount_captured', 'amount_refunded', 'refunds', 'version'])
      .orderBy('id')
      .execute();
  const vanish = async () =>
    void (await sql`UPDATE payment_work SET lease_until = clock_timestamp() - interval '1 second'`.execute(world.db));

  /** Payments in many states. */
  async function aFewPayments(): Promise<void> {
    const paid = await world.created();
    await world.refund(paid.id, { amount: 700 });
    const held = await world.created({ capture_method: 'manual' });
    await world.capture(held.id, { amount: 4000 });
    const canceled = await world.created({ capture_method: 'manual' });
    await world.cancel(canceled.id);
    const declined = await world.created({ payment_method: DECLINED });
    await world.confirm(declined.id, { payment_method: VISA });
    await world.created({ payment_method: DECLINED });
    await world.created({ payment_method: 'pm_card_threeDSecure2Required', return_url: 'https://shop.example/back' });
    await world.settle();
  }

  it('five times each and shuffled leaves every payment as it was', async () => {
    await aFewPayments();
    const before = await rows();

    const news = newsOf(world);
    for (const message of shuffled([...news, ...news, ...news, ...news, ...news], 7)) await deliver(world, message);
    await world.settle();
    expect(await rows()).toEqual(before);
  }, 30_000);

  it('does so in batches, too, and every event is reported once for each time that it came', async () => {
    await aFewPayments();
    const before = await rows();
    const reports = async () =>
      Object.fromEntries(
        (
          await sql<{ aggregate: string; n: number }>`
            SELECT aggregate, count(*)::int AS n FROM outbox WHERE starts_with(aggregate, 'stripe_event:') GROUP BY 1`.execute(world.db)
        ).rows.map(({ aggregate, n }) => [aggregate, n]),
      );
    const reported = await reports();

    const news = newsOf(world);
    let waiting = shuffled([...news, ...structuredClone(news)], 11);
    let together = 0;
    while (waiting.length > 0) {
      // As lanes are: one message of each aggregate.
      const batch = [...Map.groupBy(waiting, ({ aggregate }) => aggregate).values()].map(([first]) => first!);
      together += await deliverTogether(world, batch);
      waiting = waiting.filter((message) => !batch.includes(message));
    }
    await world.settle();

    expect(await rows()).toEqual(before);
    expect(together).toBe(2 * news.length);
    expect(await reports()).toEqual({
      ...reported,
      ...Object.fromEntries(news.map(({ messageId }) => [`stripe_event:${messageId}`, 2 + (reported[`stripe_event:${messageId}`] ?? 0)])),
    });
  }, 30_000);

  it('of several payments changes each of them in one batch: those that moved on at Stripe, and only those', async () => {
    const payments = await Promise.all(Array.from({ length: 5 }, () => world.created({ capture_method: 'manual' })));
    await world.settle();
    const known = new Set(newsOf(world).map(({ messageId }) => messageId));
    const canceled = payments.slice(0, 3);
    for (const { stripe_payment_intent } of canceled) await world.dashboard('cancel', { payment_intent: stripe_payment_intent });
    const fresh = newsOf(world).filter(({ messageId, envelope }) => !known.has(messageId) && envelope.type.includes('payment_intent'));

    const versions = new Map((await rows()).map(({ id, version }) => [id, version]));
    expect(await deliverTogether(world, fresh)).toBe(3);
    await world.settle();

    const after = (await rows()).filter(({ id }) => payments.some((payment) => payment.id === id));
    expect(after.filter(({ status }) => status === 'canceled').map(({ id }) => id)).toEqual(canceled.map(({ id }) => id).toSorted());
    for (const { id, status, version } of after) if (status !== 'canceled') expect(version).toBe(versions.get(id));
  });

  it('of another account is foreign, whatever its metadata says', async () => {
    const payment = await world.created({ capture_method: 'manual' });
    await world.settle();
    const before = await rows();
    const objectOf = (message: Incoming) => (message.envelope.data as NormalizedStripeEvent).object;
    const message = newsOf(world).find((one) => objectOf(one).metadata['payment_id'] === payment.id);
    const foreign = structuredClone(message!);
    foreign.envelope.account = 'acct_other';
    Object.assign(objectOf(foreign), { id: 'pi_elsewhere', payment_intent: 'pi_elsewhere' });

    await deliver(world, foreign);

    expect(await rows()).toEqual(before);
    const { rows: reports } = await sql<{ body: string }>`
      SELECT convert_from(bytes, 'UTF8') AS body FROM outbox WHERE aggregate = ${`stripe_event:${foreign.messageId}`}`.execute(world.db);
    expect(reports.map(({ body }) => (JSON.parse(body) as { data: unknown }).data)).toMatchObject([
      { outcome: 'foreign', reason: 'another account' },
    ]);
  });

  it.each(['payments.create.confirm.after_call', 'payments.create.confirm_recorded.before_commit'])(
    'that comes before the answer of a call, whose process dies at %s, is joined',
    async (name) => {
      const dying: Failpoints = { hit: async (at) => (at === name ? Promise.reject(new Error('dies here')) : undefined) };
      world.start(dying);
      const replica = 1 + ['payments.create.confirm.after_call', 'payments.create.confirm_recorded.before_commit'].indexOf(name);
      const reply = await world.create({}, { key: name }, replica);
      expect(reply.status).toBe(503);
      const intent = world.truth().intents.at(-1);
      const payment = intent?.metadata['payment_id'] ?? '';
      expect((await world.get(payment)).status).toBe('unknown');

      for (const message of newsOf(world)
        .filter((one) => one.aggregate === intent?.id)
        .reverse())
        await deliver(world, message);
      expect((await world.get(payment)).status).toBe('succeeded');

      await vanish();
      await world.settle();
      const again = world.json(await world.create({}, { key: name }));
      expect(again).toMatchObject({ id: payment, status: 'succeeded', client_secret: expect.any(String) });
      expect(world.intentsOf(payment)).toHaveLength(1);
    },
  );

  it('about an intent whose payment has not recorded it yet waits', async () => {
    world.simulator.addFault({ fault: 'reset_after', route: 'POST /v1/payment_intents', times: 0 });
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/payment_intents', times: 0 });
    const { id } = world.json(await world.create());
    const created = newsOf(world).find(
      (one) => (one.envelope.data as { object: { metadata: Record<string, string> } }).object.metadata['payment_id'] === id,
    );
    if (!created) throw new Error('No event');
    await expect(deliver(world, created)).rejects.toThrow(TransientFailure);
    const pauses = [1, 2, 5, 50].map((attempt) =>
      deliver(world, { ...created, attempt }).then(
        () => null,
        (error: TransientFailure) => error.retryAfterMs,
      ),
    );
    // A moment at first, for an answer that is on its way; it may as well be that nobody can ask Stripe for an hour.
    expect(await Promise.all(pauses)).toEqual([200, 400, 3200, 12_800]);
    world.simulator.clearFaults();
    await world.settle();
    await deliver(world, created);
    expect(await world.get(id)).toMatchObject({ status: 'succeeded', stripe_payment_intent: created.aggregate });
  });

  it('about 3-D Secure moves the payment on', async () => {
    const { id, stripe_payment_intent } = await world.created({
      payment_method: 'pm_card_threeDSecure2Required',
      return_url: 'https://shop.example/back',
    });
    expect((await world.get(id)).status).toBe('requires_action');
    await dashboard('complete_action', { payment_intent: stripe_payment_intent });
    for (const message of newsOf(world).filter((one) => one.aggregate === stripe_payment_intent)) await deliver(world, message);
    await world.settle();
    expect((await world.get(id)).status).toBe('succeeded');
  });

  it('of an intent that another program made dearer is told with the amount that was paid', async () => {
    const { id, stripe_payment_intent } = await world.created({ payment_method: undefined });
    await world.stripe(`payment_intents/${stripe_payment_intent}`, { amount: '5000' });
    await world.stripe(`payment_intents/${stripe_payment_intent}/confirm`, { payment_method: VISA, return_url: 'https://shop.example' });
    for (const message of newsOf(world).filter((one) => one.aggregate === stripe_payment_intent)) await deliver(world, message);
    await world.settle();
    expect(await world.get(id)).toMatchObject({ status: 'succeeded', amount: 5000, amount_captured: 5000 });
    expect(world.json<{ amount: number }>(await world.refund(id)).amount).toBe(5000);
  });

  it('of an intent of ours that another program changed to another currency is told with what was paid', async () => {
    const { id, stripe_payment_intent } = await world.created({ payment_method: undefined });
    await world.stripe(`payment_intents/${stripe_payment_intent}`, { amount: '6000', currency: 'jpy' });
    await world.stripe(`payment_intents/${stripe_payment_intent}/confirm`, { payment_method: VISA, return_url: 'https://shop.example' });
    for (const message of newsOf(world).filter((one) => one.aggregate === stripe_payment_intent)) await deliver(world, message);
    await world.settle();
    expect(await world.get(id)).toMatchObject({ status: 'succeeded', amount: 6000, amount_captured: 6000, currency: 'jpy' });
  });

  it('of an intent that more was captured of than it asks for, such as a tip, is told with the amount that was paid', async () => {
    const asked = { amount: '4200', currency: 'usd', confirm: 'true', payment_method: VISA, return_url: 'https://shop.example' };
    const { id: intent } = await world.stripe('payment_intents', asked);
    await dashboard('edit', { id: intent, changes: { amount_received: 5000 }, silent: true });
    for (const message of newsOf(world).filter((one) => one.aggregate === intent)) await deliver(world, message);
    await world.settle();
    const { data } = world.json<{ data: { stripe_payment_intent: string }[] }>(
      await world.send(RPC.paymentList, { query: { limit: '100' } }),
    );
    expect(data.filter((one) => one.stripe_payment_intent === intent)).toMatchObject([
      { origin: 'dashboard', status: 'succeeded', amount: 5000, amount_captured: 5000 },
    ]);
  });

  it('about a refund made in the dashboard adds it', async () => {
    const { id, stripe_payment_intent } = await world.created();
    await dashboard('refund', { payment_intent: stripe_payment_intent, amount: 300 });
    for (const message of newsOf(world).filter((one) => one.aggregate === stripe_payment_intent)) await deliver(world, message);
    await world.settle();
    expect(await world.get(id)).toMatchObject({ amount_refunded: 300, refunds: [{ amount: 300, status: 'succeeded' }] });
    const reply = await world.refund(id, { amount: 4000 });
    expect(world.json<{ code: string }>(reply).code).toBe('payments.refund_exceeds_captured');
  });

  it('about a refund made in place of one that failed converges, whichever comes first', async () => {
    const { id, stripe_payment_intent } = await world.created({ payment_method: 'pm_card_refundFail' });
    const about = () => newsOf(world).filter((one) => one.aggregate === stripe_payment_intent);
    await dashboard('refund', { payment_intent: stripe_payment_intent });
    for (const message of about()) await deliver(world, message);
    expect((await world.get(id)).amount_refunded).toBe(4200);
    world.advance(60_000);
    const failed = about().filter((one) => one.envelope.type === 'refund.failed' || one.envelope.type === 'refund.updated');
    expect(failed).toHaveLength(2);
    const before = about().length;
    await dashboard('refund', { payment_intent: stripe_payment_intent });
    for (const message of about().slice(before)) await deliver(world, message);
    await world.settle();
    const { amount_refunded, refunds } = await world.get(id);
    expect([amount_refunded, refunds.map((one) => one.status).sort()]).toEqual([4200, ['failed', 'succeeded']]);
    for (const message of failed) await deliver(world, message);
    expect((await world.get(id)).amount_refunded).toBe(4200);
  });

  it('that was to be asked for is asked for even when a request comes first', async () => {
    const { id, stripe_payment_intent } = await world.created();
    await dashboard('refund', { payment_intent: stripe_payment_intent, amount: 300 });
    await wishRefresh(world.db, id, world.clock.now());
    await world.refund(id, { amount: 100 });
    await world.settle();
    expect((await world.get(id)).amount_refunded).toBe(400);
  });

  it('that was to be asked for is asked for even when a missing answer is found first', async () => {
    world.simulator.addFault({ fault: 'reset_after', route: 'POST /v1/payment_intents/:id/confirm', times: 1 });
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/payment_intents/:id', times: 0 });
    const { id, status } = await world.created();
    expect(status).toBe('unknown');
    await dashboard('refund', { payment_intent: world.intentsOf(id)[0]?.id, amount: 300 });
    world.simulator.clearFaults();
    await wishRefresh(world.db, id, world.clock.now());
    await world.settle();
    expect(await world.get(id)).toMatchObject({ status: 'succeeded', amount_refunded: 300 });
  });

  it('brings back a refund that a restore lost, and its request finds it', async () => {
    const { id, stripe_payment_intent } = await world.created();
    const scope = { tenant: 'default', route: `POST /v1/payments/${id}/refunds`, key: 'restored' };
    const metadata = { payment_id: id, refund_id: refundIdOf(scope), command_id: commandIdOf('refund', scope) };
    await dashboard('refund', { payment_intent: stripe_payment_intent, amount: 300, metadata });
    for (const message of newsOf(world).filter((one) => one.aggregate === stripe_payment_intent)) await deliver(world, message);
    const reply = await world.refund(id, { amount: 300 }, 'restored');
    expect([reply.status, world.json<{ id: string; status: string }>(reply)]).toMatchObject([
      201,
      { id: metadata.refund_id, status: 'succeeded' },
    ]);
    expect(await world.refund(id, { amount: 300 }, 'restored')).toEqual(reply);
    expect(world.truth().refunds.filter((refund) => refund.payment_intent === stripe_payment_intent)).toHaveLength(1);
    expect((await world.get(id)).amount_refunded).toBe(300);
  });

  it('about an intent that nobody here made adopts it', async () => {
    const response = await fetch(`${world.simulator.url}/v1/payment_intents`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk_test_simulator', 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        amount: '1500',
        currency: 'eur',
        confirm: 'true',
        payment_method: VISA,
        'automatic_payment_methods[enabled]': 'true',
        'automatic_payment_methods[allow_redirects]': 'never',
      }),
    });
    const intent = (await response.json()) as { id: string; status: string };
    expect(intent.status).toBe('succeeded');
    for (const message of newsOf(world).filter((one) => one.aggregate === intent.id)) await deliver(world, message);
    await world.settle();
    const list = world.json<{ data: { stripe_payment_intent: string; origin: string; status: string }[] }>(
      await world.send(RPC.paymentList, { query: { limit: '100' } }),
    );
    expect(list.data.filter((one) => one.stripe_payment_intent === intent.id)).toMatchObject([
      { origin: 'dashboard', status: 'succeeded', amount_captured: 1500 },
    ]);
  });

  it('about an intent that its program changes while it is open follows its amount and currency', async () => {
    const { id: intent } = await world.stripe('payment_intents', { amount: '1500', currency: 'usd' });
    const news = async () => {
      for (const message of newsOf(world).filter((one) => one.aggregate === intent)) await deliver(world, message);
      await world.settle();
    };
    await news();
    const { data } = world.json<{ data: { id: string; stripe_payment_intent: string }[] }>(await world.send(RPC.paymentList));
    const [{ id } = { id: '' }] = data.filter((one) => one.stripe_payment_intent === intent);
    await world.stripe(`payment_intents/${intent}`, { amount: '1800' });
    await wishRefresh(world.db, id, world.clock.now());
    await world.settle();
    expect(await world.get(id)).toMatchObject({ status: 'requires_payment_method', amount: 1800, currency: 'usd' });
    await world.stripe(`payment_intents/${intent}`, { amount: '1600', currency: 'eur' });
    await world.stripe(`payment_intents/${intent}/confirm`, { payment_method: VISA, return_url: 'https://shop.example' });
    await news();
    expect(await world.get(id)).toMatchObject({ status: 'succeeded', amount: 1600, amount_captured: 1600, currency: 'eur' });
  });

  it('about an authorization that is raised makes us ask what is held now, and all of it can be captured', async () => {
    const { id, stripe_payment_intent } = await world.created({ capture_method: 'manual' });
    await dashboard('edit', { id: stripe_payment_intent, changes: { amount: 5000, amount_capturable: 5000 }, silent: true });
    const held = newsOf(world).filter((one) => one.aggregate === stripe_payment_intent);
    for (const message of held) await deliver(world, message);
    const { envelope, ...updated } = held.at(-1)!;
    const { object, ...told } = envelope.data as NormalizedStripeEvent;
    const raised = { ...told, stripe_event_id: 'evt_raised', object: { ...object, amount: 5000, amount_capturable: 5000 } };
    await deliver(world, { ...updated, messageId: 'raised', envelope: { ...envelope, data: raised } });
    await world.settle();
    expect(await world.get(id)).toMatchObject({ status: 'authorized', amount: 5000 });
    const { rows: published } = await sql<{ amount: number }>`
      SELECT (convert_from(bytes, 'UTF8')::json #>> '{data,amount}')::int AS amount FROM outbox
      WHERE aggregate = ${id} AND subject = 'payments.events.payment.authorized.v1' ORDER BY id`.execute(world.db);
    expect(published).toEqual([{ amount: 4200 }, { amount: 5000 }]);
    expect(world.json(await world.capture(id, { amount: 4900 }))).toMatchObject({
      status: 'succeeded',
      amount: 5000,
      amount_captured: 4900,
    });
  });

  it('is reported back, one outcome for each event', async () => {
    const { rows: reported } = await sql<{
      n: number;
    }>`SELECT count(DISTINCT aggregate)::int AS n FROM outbox WHERE subject = 'payments.events.stripe_event.handled.v1'`.execute(world.db);
    expect(reported[0]?.n).toBeGreaterThan(10);
  });

  it('is reported as failed when it was set aside, without secrets', async () => {
    const message = newsOf(world)[0]!;
    await world.db
      .transaction()
      .execute((tx) => world.parts.stripeEvents.gaveUp(tx, message, `Error: ${['sk', 'test', 'abcdefghijkl'].join('_')}`));
    const { rows } = await sql<{ data: object }>`
      SELECT convert_from(bytes, 'UTF8')::json -> 'data' AS data FROM outbox ORDER BY id DESC LIMIT 1`.execute(world.db);
    const { stripe_event_id } = message.envelope.data as NormalizedStripeEvent;
    expect(rows).toEqual([{ data: { stripe_event_id, consumer: message.consumer, outcome: 'failed', reason: 'Error: sk_[secret]' } }]);
  });

  it('replayed, all of it, changes nothing and sends nothing to Stripe', async () => {
    const events = async () => (await sql<{ n: number }>`SELECT count(*)::int AS n FROM events`.execute(world.db)).rows[0]?.n;
    const posts = () => world.simulator.world.requests.all().filter((request) => request.method === 'POST').length;
    const before = [await events(), posts()];
    for (const message of newsOf(world)) {
      (message.envelope.data as NormalizedStripeEvent).replay = true;
      await deliver(world, message);
    }
    await world.settle();
    expect([await events(), posts()]).toEqual(before);
  });

  it('and everything before can be told again: the projection rebuilt from events is equal', async () => {
    const before = await world.db.selectFrom('payments').selectAll().orderBy('id').execute();
    expect(await rebuildPayments(world.db)).toBe(before.length);
    expect(await world.db.selectFrom('payments').selectAll().orderBy('id').execute()).toEqual(before);
  });

  async function dashboard(action: string, body: object): Promise<void> {
    const response = await fetch(`${world.simulator.url}/__dashboard/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(200);
  }
});

describe('A tenant', () => {
  let world: PaymentsWorld;
  beforeAll(async () => {
    world = await paymentsWorld();
  });
  afterAll(() => world.close());

  it("cannot see or touch another's payment", async () => {
    const { id } = await world.created();
    for (const subject of [
      RPC.paymentGet,
      RPC.paymentEvents,
      RPC.paymentConfirm,
      RPC.paymentCapture,
      RPC.paymentCancel,
      RPC.paymentRefund,
    ]) {
      const body = subject === RPC.paymentConfirm ? { payment_method: VISA } : {};
      expect({ subject, status: (await world.send(subject, { tenant: 'other', params: { id }, body })).status }).toEqual({
        subject,
        status: 404,
      });
    }
    const list = world.json<{ data: unknown[] }>(await world.send(RPC.paymentList, { tenant: 'other' }));
    expect(list.data).toEqual([]);
    expect((await world.get(id)).status).toBe('succeeded');
  });

  it('pages through its payments, newest first, each once', async () => {
    for (let i = 0; i < 4; i += 1) await world.created();
    const seen: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = world.json<{ data: { id: string }[]; next_cursor: string | null }>(
        await world.send(RPC.paymentList, { query: { limit: '2', ...(cursor ? { cursor } : {}) } }),
      );
      seen.push(...page.data.map((one) => one.id));
      cursor = page.next_cursor;
    }
    const all = await world.db.selectFrom('payments').select('id').orderBy('created_at', 'desc').orderBy('id', 'desc').execute();
    expect(seen).toEqual(all.map((row) => row.id));
  });
});

describe("Stripe's news about the money of a further intent that another program made with the id of a payment", () => {
  let world: PaymentsWorld;
  beforeAll(async () => {
    world = await paymentsWorld();
  });
  afterAll(() => world.close());

  it('are not held up, and are not about that payment', async () => {
    const { id, stripe_payment_intent } = await world.created();
    const further = await world.stripe('payment_intents', {
      amount: '4200',
      currency: 'usd',
      payment_method: VISA,
      confirm: 'true',
      'automatic_payment_methods[enabled]': 'true',
      'automatic_payment_methods[allow_redirects]': 'never',
      'metadata[tenant_id]': 'default',
      'metadata[payment_id]': id,
    });
    await world.dashboard('refund', { payment_intent: further['id'], amount: 4200 });
    for (const message of newsOf(world).filter((one) => one.aggregate === further['id'])) await deliver(world, message);
    await world.settle();
    expect(await world.get(id)).toMatchObject({ status: 'succeeded', stripe_payment_intent, amount_refunded: 0, refunds: [] });
  });
});
