import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { getEventListeners } from 'node:events';
import { noFailpoints } from '@tidegate/database/failpoints';
import { jetstreamManager } from '@nats-io/jetstream';
import { eventually } from '@tidegate/test-harness/eventually';
import { type Arrival } from '../src/inbox-store.js';
import { Puller } from '../src/puller.js';
import { DURABLES } from '../src/topology.js';
import { type Member, quiet, World } from './support/world.js';

jest.setTimeout(60_000);

const durable = DURABLES.find((one) => one.durable === 'receipts-payments')!;

describe('A puller', () => {
  let world: World;
  let receipts: Member;
  beforeEach(async () => {
    world = await World.open();
    receipts = await world.member('receipts');
  });
  afterEach(() => world.close());

  it('does not grow while it waits for a stream', async () => {
    const puller = pulling();
    await receipts.broker.connection();
    const { signal } = (puller as unknown as { stopping: AbortController }).stopping;
    const failures = () => (puller as unknown as { failures: number }).failures;
    await eventually(() => expect(failures()).toBeGreaterThan(3));
    expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1);
  });

  it('acknowledges nothing that is not stored', async () => {
    const payments = await world.owner('payments');
    for (const n of [1, 2, 3]) await payments.publish('payment:pay_1', n);
    let stored: () => void = () => undefined;
    const storing = new Promise<ReadonlySet<Arrival>>((resolve) => (stored = () => resolve(new Set())));
    const seen: Arrival[] = [];
    pulling((arrivals) => {
      seen.push(...arrivals);
      return storing;
    });
    await eventually(() => expect(seen.length).toBeGreaterThan(0));
    const manager = await jetstreamManager(await receipts.broker.connection());
    // What the broker has sent and the puller has not taken in yet counts as pending, too; what is acknowledged does not depend on that.
    const acknowledged = async () => (await manager.consumers.info(durable.stream, durable.durable)).ack_floor.stream_seq;
    expect(await acknowledged()).toBe(0);
    stored();
    await eventually(async () => expect(await acknowledged()).toBe(3));
  });

  function pulling(store: (arrivals: Arrival[]) => Promise<ReadonlySet<Arrival>> = async () => new Set()): Puller {
    const puller = new Puller({ broker: receipts.broker, failpoints: noFailpoints, logger: quiet, durable, store });
    void puller.run();
    world.onClose(() => puller.stop());
    return puller;
  }
});
