import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { getEventListeners } from 'node:events';
import { noFailpoints } from '@tidegate/database/failpoints';
import { eventually } from '@tidegate/test-harness/eventually';
import { Puller } from '../src/puller.js';
import { DURABLES } from '../src/topology.js';
import { type Member, quiet, World } from './support/world.js';

jest.setTimeout(60_000);

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

  function pulling(): Puller {
    const durable = DURABLES.find((one) => one.durable === 'receipts-payments')!;
    const puller = new Puller({ broker: receipts.broker, failpoints: noFailpoints, logger: quiet, durable, store: async () => new Set() });
    void puller.run();
    world.onClose(() => puller.stop());
    return puller;
  }
});
