import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type DeadLetterRetriesView, type RetryView } from '@tidegate/contracts/ops/retries';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { noFailpoints } from '@tidegate/database/failpoints';
import { sql } from 'kysely';
import { deadLetter, type DeadLetterDeps } from '../src/retries/dead-letter.flow.js';
import { wakeHeld } from '../src/work/wake.js';
import { acquirePayments } from '../src/work/work.store.js';
import { type PaymentsWorld, paymentsWorld, VISA } from './payments-world.js';
import { deliver, newsOf } from './stripe-news.js';

jest.setTimeout(60_000);

const HOURS = 3_600_000;
/** What `tidegate restore load` does to the tables of a backup. */
const restore = () => sql`SELECT database_was_restored(${world.clock.now()}, ${world.clock.now()})`.execute(world.db);

let world: PaymentsWorld;
beforeAll(async () => {
  world = await paymentsWorld();
});
afterAll(() => world.close());

const queued = async (body: object = {}) => {
  const payment = world.json(await world.create({ ...body }, { respondAsync: true }));
  expect(payment.status).toBe('queued');
  return payment.id;
};
/** In the time that the restore lost, the payment was sent. */
const paidInTheGap = (payment_id: string) => madeInTheGap(payment_id, { payment_method: VISA, confirm: 'true' });
const madeInTheGap = (payment_id: string, more: Record<string, string> = {}) =>
  world.stripe('payment_intents', {
    amount: '4200',
    currency: 'usd',
    ...more,
    'automatic_payment_methods[enabled]': 'true',
    'automatic_payment_methods[allow_redirects]': 'never',
    'metadata[tenant_id]': 'default',
    'metadata[payment_id]': payment_id,
  });

describe('A payment that was queued at the backup, when the database is restored later', () => {
  it('is what Stripe made of it in between, neither charged again under a key that Stripe has forgotten nor canceled as never sent', async () => {
    const days = new Date(world.clock.now().getTime() + 72 * HOURS).toISOString();
    const ids = [await queued({ not_after: days }), await queued()];
    for (const id of ids) await paidInTheGap(id);
    world.advance(30 * HOURS);
    await restore();
    await world.settle();
    for (const id of ids) {
      expect(world.intentsOf(id).map(({ status }) => status)).toEqual(['succeeded']);
      expect((await world.get(id)).status).toBe('succeeded');
    }
  });

  it('is the intent that was paid in between, and not an older one that an unanswered call left behind', async () => {
    const id = await queued();
    await madeInTheGap(id);
    world.advance(2000);
    const paid = await paidInTheGap(id);
    await restore();
    await world.settle();
    expect(world.intentsOf(id).map(({ status }) => status)).toEqual(['canceled', 'succeeded']);
    expect(await world.get(id)).toMatchObject({ status: 'succeeded', stripe_payment_intent: paid['id'] });
  });

  it('is looked for also when the process that took it first died at once', async () => {
    const id = await queued();
    await paidInTheGap(id);
    world.advance(30 * HOURS);
    await restore();
    expect(await acquirePayments(world.db, 'dead#loop1', world.clock.now(), 10)).toHaveLength(1);
    await sql`UPDATE payment_work SET lease_until = clock_timestamp()`.execute(world.db);
    await world.settle();
    expect(world.intentsOf(id).map(({ status }) => status)).toEqual(['succeeded']);
    expect((await world.get(id)).status).toBe('succeeded');
  });

  it('is not taken out of the queue: it may have been sent in the time that was lost', async () => {
    const [old, taken] = [await queued(), await queued()];
    for (const id of [old, taken]) await paidInTheGap(id);
    await restore();
    const [held] = await acquirePayments(world.db, 'payments-9#loop1', world.clock.now(), 1);
    await sql`UPDATE payment_work SET lease_until = clock_timestamp()`.execute(world.db);
    expect([old, taken].toSorted()).toContain(held?.payment_id);
    const body = { older_than_seconds: 0, reason: 'the incident is over' };
    const refused = { count: 2, why: 'submitted', payment_ids: [old, taken].toSorted() };
    for (const dry_run of [true, false]) {
      const told = world.json<DeadLetterRetriesView>(await world.send(RPC.retryDeadLetter, { body: { ...body, dry_run } }));
      expect({ ...told, refused: { ...told.refused, payment_ids: told.refused.payment_ids.toSorted() } }).toMatchObject({
        matched: 0,
        dead_lettered: 0,
        refused,
      });
    }
    const { data } = world.json<{ data: RetryView[] }>(await world.send(RPC.retryList, {}));
    expect(data.map(({ unsent }) => unsent)).toEqual([false, false]);
    const { db, clock } = world;
    const order = { actor: 'test', reason: 'found before', correlationId: 'test' };
    expect(await deadLetter({ db, clock, failpoints: noFailpoints } as DeadLetterDeps, old, order)).toEqual({
      kind: 'kept',
      why: 'submitted',
    });
    await world.settle();
    for (const id of [old, taken]) expect((await world.get(id)).status).toBe('succeeded');
  });

  it('is looked for before a request to cancel it is answered', async () => {
    const id = await queued();
    await paidInTheGap(id);
    world.advance(30 * HOURS);
    await restore();
    expect((await world.cancel(id)).status).toBe(422);
    expect((await world.get(id)).status).toBe('succeeded');
    expect(world.intentsOf(id).map(({ status }) => status)).toEqual(['succeeded']);
  });

  it('is sent, once, when it never was', async () => {
    const id = await queued();
    await restore();
    await world.settle();
    expect(world.intentsOf(id).map(({ status }) => status)).toEqual(['succeeded']);
    expect((await world.get(id)).status).toBe('succeeded');
  });
});

describe('A payment that Stripe has told of after the restore', () => {
  it('is as the intent that was paid, though the first news are of one that was canceled as one too many', async () => {
    const id = `pay_${'7'.repeat(32)}`;
    const orphan = await madeInTheGap(id);
    await world.stripe(`payment_intents/${String(orphan['id'])}/cancel`, { cancellation_reason: 'duplicate' });
    const paid = await paidInTheGap(id);
    await restore();
    const about = (intent: unknown) => newsOf(world).filter((message) => message.aggregate === intent);
    for (const message of [...about(orphan['id']), ...about(paid['id'])]) await deliver(world, message);
    await world.settle();
    expect(await world.get(id)).toMatchObject({ status: 'succeeded', stripe_payment_intent: paid['id'] });
  });

  it('is the one of its request also when the time that this gives is over', async () => {
    const not_after = new Date(world.clock.now().getTime() + HOURS).toISOString();
    const { id } = world.json(await world.create({ not_after }, { key: 'own time' }));
    await sql`DELETE FROM idempotency_keys WHERE key = 'own time'`.execute(world.db);
    await restore();
    world.advance(2 * HOURS);
    const reply = await world.create({ not_after }, { key: 'own time' });
    expect([reply.status, world.json(reply).id]).toEqual([201, id]);
    expect((await world.create({ not_after }, { key: 'never made' })).status).toBe(400);
  });
});

describe('Work of a restored database that a process has in hand when a breaker closes', () => {
  it('is due again, as all that it has in hand', async () => {
    const id = await queued();
    await restore();
    const [held] = await acquirePayments(world.db, 'payments-9#loop1', world.clock.now(), 10);
    expect(held).toMatchObject({ payment_id: id, restored: true });
    await wakeHeld(world.db, 'payments-9', world.clock.now());
    const { rows } = await sql<{ revision: number }>`SELECT revision FROM payment_work WHERE payment_id = ${id}`.execute(world.db);
    expect(rows).toEqual([{ revision: (held?.revision ?? 0) + 1 }]);
    await sql`UPDATE payment_work SET lease_until = clock_timestamp()`.execute(world.db);
    await world.settle();
    expect((await world.get(id)).status).toBe('succeeded');
  });
});
