import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { wakeAll } from '../src/work/wake.js';
import { type PaymentsWorld, paymentsWorld } from './payments-world.js';

jest.setTimeout(120_000);

const EACH = 50;
const many = async <T>(count: number, make: (i: number) => Promise<T>): Promise<T[]> => {
  const made: T[] = [];
  for (let at = 0; at < count; at += 20)
    made.push(...(await Promise.all(Array.from({ length: Math.min(20, count - at) }, (_, i) => make(at + i)))));
  return made;
};

/** Calls whose answers are lost on the way back, or which never arrive; meanwhile nothing can be asked either. */
describe('After an outage that lost the answers of 200 calls', () => {
  let world: PaymentsWorld;
  let ids: string[];
  let healedAt: number;
  let asked: { path: string }[];

  beforeAll(async () => {
    world = await paymentsWorld({ replicas: 2, deadlineMs: 3000 });
    const held = await many(EACH, () => world.created({ capture_method: 'manual' }));
    const paid = await many(EACH, () => world.created());
    const during = async (fault: 'reset_after' | 'reset_before', route: string, work: () => Promise<unknown>) => {
      world.simulator.clearFaults();
      for (const silent of ['GET /v1/payment_intents', 'GET /v1/payment_intents/:id', 'GET /v1/refunds'])
        world.simulator.addFault({ fault: 'reset_before', route: silent, times: 0 });
      world.simulator.addFault({ fault, route, times: 0 });
      await work();
    };
    const create = (i: number) => world.create({}, {}, i);
    const created: string[] = [];
    const note = async (work: Promise<{ body: string }[]>) =>
      void created.push(...(await work).map((reply) => (JSON.parse(reply.body) as { id: string }).id));
    await during('reset_after', 'POST /v1/payment_intents', () => note(many(EACH / 2, create)));
    await during('reset_before', 'POST /v1/payment_intents', () => note(many(EACH / 2, create)));
    await during('reset_after', 'POST /v1/payment_intents/:id/confirm', () => note(many(EACH, create)));
    await during('reset_after', 'POST /v1/payment_intents/:id/capture', () => many(EACH, (i) => world.capture(held[i]?.id ?? '')));
    await during('reset_after', 'POST /v1/refunds', () => many(EACH, (i) => world.refund(paid[i]?.id ?? '', { amount: 100 + i })));
    ids = [...created, ...held.map((one) => one.id), ...paid.map((one) => one.id)];
    for (const id of created) expect((await world.get(id)).status).toBe('unknown');

    world.simulator.clearFaults();
    const before = world.simulator.world.requests.all().length;
    healedAt = world.clock.now().getTime();
    await wakeAll(world.db, 'stripe:2', world.clock.now());
    await world.settle(60_000);
    asked = world.simulator.world.requests
      .all()
      .slice(before)
      .map(({ method, path }) => ({ path: `${method} ${path}` }));
  });
  afterAll(() => world.close());

  it('everything is certain within 60 s after Stripe answers again', async () => {
    expect(world.clock.now().getTime() - healedAt).toBeLessThan(60_000);
    expect(await world.metric('payments_retry_queue_depth')).toEqual([0, 0]);
    const views = await Promise.all(ids.map((id) => world.get(id)));
    expect(views.filter(({ status }) => status !== 'succeeded')).toEqual([]);
    expect(views.flatMap(({ refunds }) => refunds).filter(({ status }) => status !== 'succeeded')).toEqual([]);
  });

  it('each payment was charged once, and no refund was made twice', () => {
    const { intents, charges, refunds } = world.truth();
    const succeeded = intents.filter(({ status }) => status === 'succeeded').map(({ metadata }) => metadata['payment_id']);
    expect(succeeded.toSorted()).toEqual(ids.toSorted());
    expect(charges.filter(({ status }) => status === 'succeeded')).toHaveLength(ids.length);
    expect(refunds).toHaveLength(EACH);
  });

  it('one scan of the list served all intents that were looked for', () => {
    const pages = asked.filter(({ path }) => path.startsWith('GET /v1/payment_intents?') || path === 'GET /v1/payment_intents').length;
    const refunds = asked.filter(({ path }) => path.startsWith('GET /v1/refunds')).length;
    // Three pages hold all that was created, in each of two processes; a second scan for what was called again meanwhile.
    expect(pages).toBeLessThanOrEqual(12);
    expect(refunds).toBe(EACH);
    // At the default limit of 20 a second all of it takes a quarter of a minute.
    expect(asked.length).toBeLessThan(15 * 20);
  });
});
