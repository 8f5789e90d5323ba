import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/test-harness/eventually';
import { effectsOf, type Effect, recorder, upTo, World } from './support/world.js';

const CONSUMERS = [
  { service: 'receipts', durable: 'receipts-payments' },
  { service: 'reconciliation', durable: 'reconciliation-payments' },
  { service: 'webhooks', durable: 'webhooks-outcomes-payments' },
];

jest.setTimeout(120_000);

describe('When the broker loses what it confirmed', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.open();
  });
  afterEach(() => world.close());

  it('brings every event once to every inbox over a wipe under live consumers, the first within 5 s of its return', async () => {
    const { traffic, effects } = await running();
    await delivered(effects, 20);

    await world.nats.kill();
    const duringOutage = traffic.sent();
    await untilSent(traffic, duringOutage + 20);
    await world.nats.wipe();
    const back = Date.now();
    await untilSent(traffic, duringOutage + 60);
    const sent = await traffic.stop();

    for (const read of effects) {
      await eventually(async () => expectOnceInOrder(await read(), sent), { timeoutMs: 15_000, everyMs: 200 });
      const first = (await read()).find((effect) => effect.at.getTime() >= back);
      expect(first && first.at.getTime() - back).toBeLessThan(5_000);
    }
  });

  it('loses and doubles nothing when the whole store goes back by ten seconds', async () => {
    await tailLoss(10, (copy) => {
      rmSync(world.nats.store, { recursive: true, force: true });
      cpSync(copy, world.nats.store, { recursive: true });
    });
  });

  it("loses and doubles nothing when only the stream's messages go back, and its consumers are ahead of it", async () => {
    await tailLoss(1, (copy) => {
      const messages = join('jetstream', '$G', 'streams', 'PAYMENTS_EVENTS', 'msgs');
      rmSync(join(world.nats.store, messages), { recursive: true, force: true });
      cpSync(join(copy, messages), join(world.nats.store, messages), { recursive: true });
    });
  });

  /** The copy is made so many seconds of traffic, all of it consumed, before the kill. */
  async function tailLoss(seconds: number, restore: (copy: string) => void): Promise<void> {
    const { traffic, effects } = await running();
    await delivered(effects, 30);
    const copy = `${world.nats.store}-copy`;
    cpSync(world.nats.store, copy, { recursive: true });
    const copied = traffic.sent();
    for (const read of effects) {
      await eventually(
        async () => {
          const tail = (await read()).filter((effect) => effect.position > copied);
          expect(tail.length).toBeGreaterThanOrEqual(40);
          expect(tail.at(-1)!.at.getTime() - tail[0]!.at.getTime()).toBeGreaterThanOrEqual(seconds * 1000);
        },
        { timeoutMs: 60_000, everyMs: 200 },
      );
    }

    await world.nats.kill();
    restore(copy);
    rmSync(copy, { recursive: true, force: true });
    await world.nats.start();
    await untilSent(traffic, traffic.sent() + 60);
    const sent = await traffic.stop();

    for (const read of effects) await eventually(async () => expectOnceInOrder(await read(), sent), { timeoutMs: 15_000, everyMs: 200 });
  }

  /** One owner publishing, and two replicas of each consumer. */
  async function running() {
    const payments = await world.owner('payments');
    const effects = await Promise.all(
      CONSUMERS.map(async ({ service, durable }) => {
        for (const worker of ['a', 'b']) await world.subscribe(await world.member(service), durable, recorder(worker));
        const { db } = await world.member(service);
        return () => effectsOf(db, durable);
      }),
    );
    return { traffic: startTraffic((n) => payments.publish(`payment:pay_${n % 5}`, n)), effects };
  }
});

type Read = () => Promise<Effect[]>;

async function delivered(effects: readonly Read[], count: number): Promise<void> {
  for (const read of effects)
    await eventually(async () => expect((await read()).length).toBeGreaterThanOrEqual(count), { timeoutMs: 30_000 });
}

function expectOnceInOrder(effects: Effect[], sent: number): void {
  expect(effects.length).toBe(sent);
  expect(effects.map((effect) => effect.position).sort((a, b) => a - b)).toEqual(upTo(sent));
  expect(new Set(effects.map((effect) => effect.message_id)).size).toBe(sent);
  const last: Record<string, number> = {};
  for (const { aggregate, n } of effects) {
    expect(n).toBeGreaterThan(last[aggregate] ?? 0);
    last[aggregate] = n;
  }
}

/** Some 40 messages a second until it is stopped. */
function startTraffic(send: (n: number) => Promise<void>) {
  let sent = 0;
  let stopping = false;
  const done = (async () => {
    while (!stopping) {
      await send(sent + 1);
      sent += 1;
      await delay(25);
    }
  })();
  return {
    sent: () => sent,
    async stop() {
      stopping = true;
      await done;
      return sent;
    },
  };
}

async function untilSent(traffic: { sent(): number }, count: number): Promise<void> {
  await eventually(() => expect(traffic.sent()).toBeGreaterThanOrEqual(count), { timeoutMs: 30_000 });
}
