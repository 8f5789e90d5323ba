import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Simulator } from '@tidegate/stripe-simulator/simulator';
import { simulatorForTests } from '@tidegate/test-harness/simulator';
import { sql } from 'kysely';
import { createStripeAdapter } from '../src/adapter.js';
import { COPY_LASTS_MS } from '../src/fleet/fleet-copy.js';
import { lastWord } from '../src/last-word.js';
import { openTestFleet, QUICK, type TestFleet, TIMEOUT } from './fleet-world.js';

jest.setTimeout(60_000);

describe('A call whose connection stands late', () => {
  let world: TestFleet;
  let simulator: Simulator;
  let adapter: ReturnType<typeof createStripeAdapter>;
  beforeAll(async () => {
    world = await openTestFleet();
    simulator = await simulatorForTests();
    adapter = createStripeAdapter({ secretKey: 'sk_test_simulator', apiBase: simulator.url });
  });
  afterEach(() => world.clear());
  afterAll(async () => {
    adapter.close();
    await simulator.close();
    await world.close();
  });

  const fail = async (times: number, process = world.first) => {
    for (let i = 0; i < times; i += 1) await process.call(TIMEOUT);
  };
  const customers = async () => ((await (await fetch(`${simulator.url}/__truth`)).json()) as { customers: unknown[] }).customers.length;
  /** As when the process was stopped, or the handshake took long, between being let in and the first byte. */
  const createAfter = (ready: () => Promise<unknown>, process = world.first) =>
    process.fleet.run('createCustomer', async () => {
      await ready();
      return adapter.createCustomer({ metadata: {} }, randomUUID());
    });

  it('is not sent when the breaker has opened meanwhile, and counts as no failure', async () => {
    const other = world.process();
    const late = createAfter(() => fail(5, other).then(() => delay(1_000)));
    expect(await late).toMatchObject({ kind: 'refused' });
    expect(await customers()).toBe(0);
    const { rows } = await sql`SELECT calls FROM stripe_gateway.buckets WHERE breaker = 'stripe'`.execute(world.db);
    expect(rows).toEqual([{ calls: 5 }]);
  });

  it('is sent when what the process knew is too old, but nothing has changed', async () => {
    const resting = world.process({ quietAfterMs: 0 });
    expect(await createAfter(() => delay(COPY_LASTS_MS + 100), resting)).toMatchObject({ kind: 'ok' });
  });

  it.each([true, false])('is sent only if whoever makes it still wants that (%s)', async (may) => {
    const before = await customers();
    const asked = lastWord.run(
      () => Promise.resolve(may),
      () => createAfter(() => Promise.resolve()),
    );
    expect(await asked).toMatchObject({ kind: may ? 'ok' : 'refused' });
    expect(await customers()).toBe(before + Number(may));
  });

  it('is not sent by a process that stood still meanwhile, and counts as no failure', async () => {
    const stopped = world.process({ staleMs: 200 });
    const before = await customers();
    expect(await createAfter(() => delay(250), stopped)).toMatchObject({ kind: 'refused' });
    expect(await customers()).toBe(before);
    const { rows } = await sql`SELECT calls FROM stripe_gateway.buckets`.execute(world.db);
    expect(rows).toEqual([]);
    expect(await createAfter(() => Promise.resolve(), stopped)).toMatchObject({ kind: 'ok' });
  });

  it('is not sent when it is a probe whose time is over', async () => {
    await fail(5);
    await sql`UPDATE stripe_gateway.breaker_states SET retry_at = clock_timestamp() WHERE name = 'stripe'`.execute(world.db);
    await world.first.fleet.refresh();
    const before = await customers();
    expect(await createAfter(() => delay(QUICK.recoveryMs + 10))).toMatchObject({ kind: 'refused' });
    expect(await customers()).toBe(before);
  });
});
