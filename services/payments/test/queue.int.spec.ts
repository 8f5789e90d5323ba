import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { wakeAll, wakeHeld, wakeOne } from '../src/work/wake.js';
import { acquirePayments, type Held, release, type WaitsFor } from '../src/work/work.store.js';
import { type PaymentsParts } from '../src/payments.js';
import { type PaymentsWorld, paymentsWorld } from './payments-world.js';

jest.setTimeout(60_000);

let world: PaymentsWorld;
afterEach(() => world.close());

const queue = async (key: string): Promise<string> => world.json(await world.create({}, { key, respondAsync: true })).id;
const queueMany = async (count: number): Promise<string[]> => {
  const ids: string[] = [];
  for (let i = 0; i < count; i += 1) {
    ids.push(await queue(`queued-${i}`));
    world.advance(1000);
  }
  return ids;
};
const work = () => world.db.selectFrom('payment_work').selectAll().orderBy('since').execute();
/** Payments in the order in which Stripe was asked for their intents. */
const firstCalls = async (): Promise<string[]> => {
  const { rows } = await sql<{ command_id: string; payment_id: string }>`SELECT command_id, payment_id FROM idempotency_keys`.execute(
    world.db,
  );
  const paymentOf = new Map(rows.map((row) => [`${row.command_id}:intent:1`, row.payment_id]));
  const asked = world.simulator.world.requests.all().filter(({ method, path }) => method === 'POST' && path === '/v1/payment_intents');
  return [...new Set(asked.map(({ idempotency_key }) => paymentOf.get(idempotency_key ?? '') ?? 'nobody'))];
};

describe('The queue', () => {
  it('drains in the order of acceptance after the breaker closes, each payment woken once for the whole fleet', async () => {
    world = await paymentsWorld({ replicas: 2, concurrency: 1 });
    const ids = await queueMany(6);
    const later = (i: number) => new Date(world.clock.now().getTime() + 60_000 - i * 7000);
    for (const [i, id] of ids.entries())
      await world.db
        .updateTable('payment_work')
        .set({ due_at: later(i) })
        .where('payment_id', '=', id)
        .execute();
    expect(await world.parts.carryOnOnce(60_000)).toBe(0);

    const woken = await Promise.all([1, 2, 3].map(() => wakeAll(world.db, 'stripe:7', world.clock.now())));
    expect(woken.reduce((sum, one) => sum + one)).toBe(6);
    await world.db
      .updateTable('payment_work')
      .set({ due_at: later(0) })
      .where('payment_id', '=', ids[5] ?? '')
      .execute();
    expect(await wakeAll(world.db, 'stripe:7', world.clock.now())).toBe(0);
    expect(await wakeAll(world.db, 'stripe:9', world.clock.now())).toBe(6);

    const newest = await queue('newest');
    await world.settle(1000);
    expect(await firstCalls()).toEqual([...ids, newest]);
  });

  it('keeps the place of what somebody had in hand and turned away just when the breaker closed', async () => {
    world = await paymentsWorld();
    const ids = await queueMany(3);
    const take = async () => (await acquirePayments(world.db, 'test#loop1', world.clock.now(), 1))[0]!;
    const held = await take();
    expect(await wakeAll(world.db, 'stripe:7', world.clock.now())).toBe(3);
    const later = new Date(world.clock.now().getTime() + 30_000);
    expect(await release(world.db, held, { dueAt: later, attempt: 0, waitsFor: 'breaker_open' })).toEqual({ more: true });
    expect([(await take()).payment_id, (await take()).payment_id, (await take()).payment_id]).toEqual(ids);
  });

  it('is carried on by a process that others told of the closing only by what they woke', async () => {
    world = await paymentsWorld({ replicas: 2, concurrency: 1 });
    const [first, second] = world.replicas.map(({ parts }) => parts) as [PaymentsParts, PaymentsParts];
    const ids = await queueMany(3);
    const drill = { params: { name: 'stripe' }, body: { reason: 'a drill' }, key: null };
    await world.send(RPC.breakerIsolate, drill);
    await eventually(() => expect(second.fleet.state('stripe')).toBe('isolated'));
    await second.fleet.refresh();
    await world.send(RPC.breakerClose, drill);
    await eventually(async () => expect((await work()).map(({ woken }) => woken)).toEqual(ids.map(() => 'stripe:2')), { everyMs: 1 });
    await second.carryOnOnce(60_000);
    expect(await firstCalls()).toEqual(ids.slice(0, 1));
    while ((await work()).length > 0) for (const parts of [first, second]) await parts.carryOnOnce(60_000);
    expect(await firstCalls()).toEqual(ids);
  });

  it('forgets nobody whom a process turned away that learnt later than others that the breaker is closed', async () => {
    world = await paymentsWorld();
    await queue('turned-away');
    const now = world.clock.now();
    const turnAway = (held: Held) =>
      release(world.db, held, { dueAt: new Date(now.getTime() + 30_000), attempt: 0, waitsFor: 'breaker_open' });
    const take = async () => (await acquirePayments(world.db, 'late#loop1', world.clock.now(), 1))[0]!;
    const isDue = async () => (await work())[0]!.due_at!.getTime() <= world.clock.now().getTime();

    // Another process knows of the closing, wakes the payment, and the late one turns it away once more.
    await wakeAll(world.db, 'stripe:7', now);
    await turnAway(await take());
    expect(await isDue()).toBe(false);
    await wakeHeld(world.db, 'late', world.clock.now());
    await wakeAll(world.db, 'stripe:7', world.clock.now());
    expect(await isDue()).toBe(true);

    // It is in hand while the late process learns of the closing.
    const held = await take();
    await wakeHeld(world.db, 'late', world.clock.now());
    await wakeAll(world.db, 'stripe:7', world.clock.now());
    expect(await turnAway(held)).toEqual({ more: true });
    expect(await isDue()).toBe(true);
  });

  it('sends as a probe what waits for the breaker, before what waits longer for something else', async () => {
    world = await paymentsWorld();
    const [other, waiting] = await queueMany(2);
    const later = new Date(world.clock.now().getTime() + 60_000);
    const leave = (id: string | undefined, waits_for: WaitsFor) =>
      world.db
        .updateTable('payment_work')
        .set({ due_at: later, waits_for })
        .where('payment_id', '=', id ?? '')
        .execute();
    await leave(other, 'refund_not_listed');
    await leave(waiting, 'breaker_open');
    expect(await wakeOne(world.db, world.clock.now())).toBe(true);
    expect((await work()).filter(({ due_at }) => due_at! < later).map((one) => one.payment_id)).toEqual([waiting]);
  });

  it('wakes those whose row somebody has locked for an instant, too', async () => {
    world = await paymentsWorld();
    const [first, second] = await queueMany(2);
    const later = new Date(world.clock.now().getTime() + 60_000);
    await world.db.updateTable('payment_work').set({ due_at: later }).execute();
    const waking = await world.db.transaction().execute(async (tx) => {
      await sql`SELECT FROM payment_work WHERE payment_id = ${first} FOR UPDATE`.execute(tx);
      const waking = wakeAll(world.db, 'stripe:7', world.clock.now());
      await eventually(async () =>
        expect((await work()).filter(({ woken }) => woken !== null).map((one) => one.payment_id)).toEqual([second]),
      );
      return { waking };
    });
    expect(await waking.waking).toBe(2);
  });

  it('is woken by a process that starts after the breaker has closed', async () => {
    world = await paymentsWorld();
    await queue('before');
    const drill = { params: { name: 'stripe' }, body: { reason: 'a drill' }, key: null };
    await world.send(RPC.breakerIsolate, drill);
    await world.send(RPC.breakerClose, drill);
    await eventually(async () => expect((await work())[0]!.woken).toBe('stripe:2'));
    // As if all processes had ended before they could do that.
    await world.parts.stop();
    await world.db
      .updateTable('payment_work')
      .set({ due_at: new Date(world.clock.now().getTime() + 3_600_000), woken: null })
      .execute();
    await world.start().parts.start();
    await eventually(async () => expect((await work())[0]!.due_at!.getTime()).toBeLessThanOrEqual(world.clock.now().getTime()));
  });

  it('keeps the place of what a limit turned away, burns no attempt of it, and begins nothing else meanwhile', async () => {
    world = await paymentsWorld({ concurrency: 1 });
    const ids = await queueMany(5);
    world.simulator.addFault({ fault: 'rate_limit', route: 'POST /v1/payment_intents', times: 0 });
    for (let round = 0; round < 5; round += 1) {
      await world.parts.carryOnOnce(60_000);
      expect(await world.parts.carryOnOnce(60_000)).toBe(0);
      world.advance(3000);
    }
    expect((await work()).map(({ payment_id, attempt, waits_for }) => [payment_id, attempt, waits_for])).toEqual(
      ids.map((id, i) => [id, 0, i < 1 ? 'rate_limited' : 'queued']),
    );
    world.simulator.clearFaults();
    await world.settle();
    expect(await firstCalls()).toEqual(ids);
    expect(await Promise.all(ids.map(async (id) => (await world.get(id)).status))).toEqual(Array(5).fill('succeeded'));
  });

  it('takes in a payment whose calls find no place in our own limit: 503, the key kept, charged once later', async () => {
    world = await paymentsWorld();
    await world.parts.fleet.limiter.drain({ reason: 'a drill', pauseMs: 3000, halve: false });
    const reply = await world.create({}, { key: 'no-place' });
    expect([reply.status, Number(reply.headers?.['retry-after'])]).toEqual([503, expect.any(Number)]);
    expect((await work()).map(({ attempt, waits_for }) => [attempt, waits_for])).toEqual([[0, 'rate_limited']]);
    await eventually(async () => {
      world.advance(1000);
      await world.parts.carryOnOnce(60_000);
      expect(await work()).toEqual([]);
    });
    const again = await world.create({}, { key: 'no-place' });
    expect(again.status).toBe(201);
    expect(world.intentsOf(world.json(again).id).map(({ status }) => status)).toEqual(['succeeded']);
  });

  it('burns an attempt where Stripe says something about this payment, and waits longer each time', async () => {
    world = await paymentsWorld();
    await queue('in-use');
    world.simulator.addFault({ fault: 'key_in_use', route: 'POST /v1/payment_intents', times: 0 });
    const pauses: number[] = [];
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      await world.parts.carryOnOnce(60_000);
      const [row] = await work();
      expect([row?.attempt, row?.waits_for]).toEqual([attempt, 'key_in_use']);
      pauses.push((row?.due_at?.getTime() ?? 0) - world.clock.now().getTime());
      world.advance(pauses.at(-1) ?? 0);
    }
    for (const [i, most] of [2000, 4000, 8000, 15_000].entries()) {
      expect(pauses[i]).toBeGreaterThan(most / 2 - 1000);
      expect(pauses[i]).toBeLessThanOrEqual(most);
    }
  });

  it('is carried on by as many at once as the operator allows', async () => {
    world = await paymentsWorld({ concurrency: 3, deadlineMs: 5000 });
    await queueMany(5);
    world.simulator.addFault({ fault: 'slow', route: 'POST /v1/payment_intents', ms: 1000, times: 0 });
    expect([await world.parts.carryOnOnce(0), await world.parts.carryOnOnce(0)]).toEqual([3, 0]);
    expect((await work()).map(({ holder }) => holder !== null)).toEqual([true, true, true, false, false]);
  });

  it('past its not_after is canceled unsent, and says so', async () => {
    world = await paymentsWorld();
    const not_after = new Date(world.clock.now().getTime() + 60_000).toISOString();
    const { id } = world.json(await world.create({ not_after }, { respondAsync: true }));
    world.advance(61_000);
    await world.settle();
    expect(await world.get(id)).toMatchObject({ status: 'canceled', cancellation_reason: 'expired_in_queue' });
    expect(world.intentsOf(id)).toEqual([]);
  });

  it('loses nothing with a process that dies in the middle of it', async () => {
    world = await paymentsWorld({ deadlineMs: 5000 });
    const ids = await queueMany(6);
    const steps = ['payments.retry.submitted.before_commit', 'payments.create.intent.after_call', 'payments.create.confirm.after_call'];
    let hits = 0;
    const dying = world.start({
      hit: async (name) => {
        if (steps.includes(name) && (hits += 1) % 3 !== 0) throw new Error('dies here');
      },
    });
    await dying.parts.carryOnOnce(60_000);
    await sql`UPDATE payment_work SET lease_until = clock_timestamp() - interval '1 second' WHERE holder IS NOT NULL`.execute(world.db);
    await world.settle();
    expect(await Promise.all(ids.map(async (id) => (await world.get(id)).status))).toEqual(Array(6).fill('succeeded'));
    for (const id of ids) expect(world.intentsOf(id).filter(({ status }) => status === 'succeeded')).toHaveLength(1);
  });
});

describe('Reading a payment whose answer is missing', () => {
  it('asks Stripe at most once in 5 s, however often it is read and by whomever', async () => {
    world = await paymentsWorld({ replicas: 3 });
    world.simulator.addFault({ fault: 'reset_before', times: 0 });
    const { id, status } = world.json(await world.create());
    expect(status).toBe('unknown');
    await world.settle(60_000);
    const asked = () => world.simulator.world.requests.all().filter(({ method }) => method === 'GET').length;
    const before = asked();
    const readByAll = async () => {
      await Promise.all(Array.from({ length: 20 }, () => world.get(id)));
      await world.parts.carryOnOnce(60_000);
    };
    for (let i = 0; i < 4; i += 1) {
      await readByAll();
      world.advance(1200);
    }
    expect(asked()).toBe(before + 1);
    world.advance(400);
    await readByAll();
    expect(asked()).toBe(before + 2);
  });
});

describe('When the breaker of the fleet opens and closes again', () => {
  it('what was queued meanwhile is charged once each, in order, by all processes, without a command of anybody', async () => {
    const breaker = { threshold: 3, ratio: 0.5, windowMs: 60_000, recoveryMs: 1000 };
    world = await paymentsWorld({ replicas: 2, concurrency: 1, deadlineMs: 3000, breaker });
    world.simulator.addFault({ fault: 'error_503', times: 0 });
    let running = true;
    const loops = world.replicas.map(async ({ parts }) => {
      while (running) {
        await parts.carryOnOnce(1000);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    });
    try {
      for (let i = 0; i < 3; i += 1) await world.create({}, { key: `trips-${i}` }, i);
      await eventually(() => expect(world.parts.fleet.state('stripe')).toBe('open'));
      const ids: string[] = [];
      for (let i = 0; i < 12; i += 1) ids.push(await queue(`behind-${i}`));
      await eventually(async () => expect(new Set((await work()).map(({ waits_for }) => waits_for))).toContain('breaker_open'));
      const statuses = await Promise.all(ids.map(async (id) => (await world.get(id)).status));
      // A probe of the breaker is somebody's first call; all others stay unsent.
      const unsent = ids.filter((_, i) => statuses[i] === 'queued');
      expect(unsent.length).toBeGreaterThan(6);
      expect((await work()).filter(({ payment_id }) => unsent.includes(payment_id)).map(({ attempt }) => attempt)).toEqual(
        unsent.map(() => 0),
      );

      world.simulator.clearFaults();
      await eventually(async () => expect(await work()).toEqual([]), { timeoutMs: 30_000, everyMs: 100 });
      const [probe, ...order] = (await firstCalls()).filter((id) => unsent.includes(id));
      // Two processes begin one each at a time, so neighbours may overtake each other.
      for (const [i, id] of unsent.filter((one) => one !== probe).entries()) expect(Math.abs(order.indexOf(id) - i)).toBeLessThanOrEqual(2);
      for (const id of ids) expect(world.intentsOf(id).map(({ status }) => status)).toEqual(['succeeded']);
    } finally {
      running = false;
      await Promise.all(loops);
    }
  });
});
