import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { eventually } from '@tidegate/test-harness/eventually';
import { JetStreamApiFailure, jsApi } from '../src/js-api.js';
import { StreamFollower } from '../src/stream-follower.js';
import { followRequest } from '../src/topology.js';
import { type Member, quiet, recorder, World } from './support/world.js';

jest.setTimeout(60_000);

describe('A follower of a stream, with the permissions of its service', () => {
  let world: World;
  let gateway: Member;
  beforeEach(async () => {
    world = await World.open();
    gateway = await world.member('gateway');
  });
  afterEach(() => world.close());

  function following(): number[] {
    const heard: number[] = [];
    const take = ({ position }: { position: number }) => void heard.push(position);
    const follower = new StreamFollower({ broker: gateway.broker, logger: quiet, stream: 'PAYMENTS_EVENTS', take });
    void follower.run();
    world.onClose(() => follower.stop());
    return heard;
  }

  async function consumers(): Promise<number> {
    const nc = await connect(world.nats.connectOptions('admin'));
    try {
      const manager = await jetstreamManager(nc);
      return (await manager.consumers.list('PAYMENTS_EVENTS').next()).length;
    } catch {
      return 0;
    } finally {
      await nc.close();
    }
  }

  it('hears what is stored from then on, in order, and waits for a stream that is not there yet', async () => {
    const heard = following();
    const payments = await world.owner('payments');
    await eventually(async () => expect(await consumers()).toBe(1));
    for (const n of [1, 2, 3]) await payments.publish('payment:pay_1', n);
    await eventually(() => expect(heard).toEqual([1, 2, 3]));
  });

  it('goes on with a consumer of its own when the broker has lost its store, by itself within seconds', async () => {
    const payments = await world.owner('payments');
    const heard = following();
    await eventually(async () => expect(await consumers()).toBe(1));
    await payments.publish('payment:pay_1', 1);
    await eventually(() => expect(heard).toEqual([1]));

    await world.nats.wipe();
    // With this the owner makes its stream anew; there was no consumer to hear it.
    await payments.publish('payment:pay_1', 2);
    await eventually(async () => expect(await consumers()).toBe(1));
    await payments.publish('payment:pay_1', 3);
    await eventually(() => expect(heard.at(-1)).toBe(3));
  });

  it('cannot take over the durable of another service by the request that makes its consumer', async () => {
    const payments = await world.owner('payments');
    await world.subscribe(await world.member('receipts'), 'receipts-payments', recorder());
    await payments.publish('payment:pay_1', 1);
    await eventually(async () => expect(await consumers()).toBe(1));

    const nc = await gateway.broker.connection();
    for (const name of [
      { durable_name: 'receipts-payments' },
      { name: 'receipts-payments' },
      { name: 'receipts-payments', durable_name: 'receipts-payments' },
    ]) {
      const config = { ...name, deliver_subject: '_INBOX_gateway.stolen', ack_policy: 'none' };
      await expect(jsApi(nc, followRequest('PAYMENTS_EVENTS'), { stream_name: 'PAYMENTS_EVENTS', config })).rejects.toThrow(
        JetStreamApiFailure,
      );
    }
  });
});
