import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { jetstream } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { createMetrics } from '@tidegate/telemetry/metrics';
import { eventually } from '@tidegate/test-harness/eventually';
import { BrokerCanary } from '../src/broker-canary.js';
import { readOutboxState } from '../src/outbox-rows.js';
import { effectsOf, type Member, numbersByAggregate, quiet, recorder, upTo, World } from './support/world.js';

const MIB = 1024 ** 2;
const FAST = { everyMs: 50, againMs: 50, deadlineMs: 1_000 };

jest.setTimeout(60_000);

describe('A canary of the broker', () => {
  let world: World;
  let admin: NatsConnection;
  beforeEach(async () => {
    world = await World.open({ maxFileStoreBytes: 6 * MIB });
    admin = await connect(world.nats.connectOptions('admin'));
  });
  afterEach(async () => {
    await admin.close();
    await world.close();
  });

  it('comes back, and neither the stream of the events nor its consumers ever see it', async () => {
    const payments = await world.owner('payments', { topology: { maxBytes: MIB } });
    const receipts = await world.member('receipts');
    const subscriber = await world.subscribe(receipts, 'receipts-payments', recorder());
    const canary = running(payments);

    for (const n of upTo(5)) {
      await payments.publish('payment:pay_1', n);
      const before = await stored('PAYMENTS_CANARY').catch(() => 0);
      await eventually(async () => expect(await stored('PAYMENTS_CANARY')).toBeGreaterThan(before));
    }

    expect(() => canary.check()).not.toThrow();
    await eventually(async () =>
      expect(numbersByAggregate(await effectsOf(receipts.db, 'receipts-payments'))).toEqual({ 'payment:pay_1': upTo(5) }),
    );
    expect(await subscriber.watermark()).toMatchObject({ position: 5 });
    expect(await stored('PAYMENTS_EVENTS')).toBe(5);
    await eventually(async () => expect(await readOutboxState(payments.db)).toMatchObject({ head: 5, published: 5 }));
  });

  it('fails while the store of the broker is full, although the broker is connected, and heals when there is room again', async () => {
    const { broker, ...payments } = await world.member('payments', { maxBytes: MIB });
    const metrics = createMetrics('payments');
    const canary = running({ broker, ...payments }, metrics);
    await eventually(() => canary.check());

    await jsApi('STREAM.CREATE.FILLER', { name: 'FILLER', subjects: ['filler'], storage: 'file', num_replicas: 1 });
    await fill('filler');

    await eventually(() => expect(() => canary.check()).toThrow());
    await broker.ping();
    await eventually(async () => expect(await gauge(metrics)).toBeGreaterThan(0.5));

    await jsApi('STREAM.DELETE.FILLER');
    await eventually(() => canary.check());
    expect(await gauge(metrics)).toBeLessThan(0.5);
  });

  it('fails while the stream of the events is full, and makes it anew when an operator has removed it', async () => {
    const metrics = createMetrics('payments');
    const canary = running(await world.member('payments', { maxBytes: MIB }), metrics);
    await eventually(() => canary.check());
    expect([await gauge(metrics, 'broker_stream_fill_ratio'), await gauge(metrics, 'broker_stream_lost_total')]).toEqual([0, 0]);

    await fill('payments.events.filler');
    await eventually(() => expect(() => canary.check()).toThrow('PAYMENTS_EVENTS is full'));
    expect(await gauge(metrics, 'broker_stream_fill_ratio')).toBeGreaterThan(0.9);

    await jsApi('STREAM.DELETE.PAYMENTS_EVENTS');
    await eventually(() => canary.check());
    expect(await stored('PAYMENTS_EVENTS')).toBe(0);
    expect([await gauge(metrics, 'broker_stream_fill_ratio'), await gauge(metrics, 'broker_stream_lost_total')]).toEqual([0, 1]);
  });

  it('fails while the broker has no room for the stream at all', async () => {
    const canary = running(await world.member('payments', { maxBytes: 100 * MIB }));
    await eventually(() => expect(() => canary.check()).toThrow(/insufficient|resources/));
    expect(canary.seconds()).toBeGreaterThan(0);
  });

  it('fails while the broker is away, and heals when it is back with an empty store, which it counts', async () => {
    const metrics = createMetrics('payments');
    const canary = running(await world.member('payments', { maxBytes: MIB }), metrics);
    await eventually(() => canary.check());
    await world.nats.kill();
    await eventually(() => expect(() => canary.check()).toThrow());
    await world.nats.wipe();
    await eventually(() => canary.check());
    expect(await gauge(metrics, 'broker_stream_lost_total')).toBe(1);
  });

  function running(member: Member, metrics = createMetrics('payments')): BrokerCanary {
    const canary = new BrokerCanary({ broker: member.broker, owner: 'payments', logger: quiet, metrics, timing: FAST });
    void canary.run();
    world.onClose(() => canary.stop());
    return canary;
  }

  async function gauge({ registry }: ReturnType<typeof createMetrics>, name = 'broker_canary_seconds'): Promise<number> {
    const { values } = (await registry.getSingleMetric(name)?.get()) ?? { values: [] };
    return values[0]?.value ?? NaN;
  }

  async function jsApi<T>(verb: string, request: unknown = {}): Promise<T> {
    const answer = (await admin.request(`$JS.API.${verb}`, JSON.stringify(request))).json<T & { error?: { description: string } }>();
    if (answer.error) throw new Error(answer.error.description);
    return answer;
  }

  /** How many messages a stream has ever taken. */
  async function stored(stream: string): Promise<number> {
    return (await jsApi<{ state: { last_seq: number } }>(`STREAM.INFO.${stream}`)).state.last_seq;
  }

  async function fill(subject: string): Promise<void> {
    for (const size of [64 * 1024, 1024, 16]) {
      const body = new Uint8Array(size);
      await expect(
        (async () => {
          for (;;) await jetstream(admin).publish(subject, body);
        })(),
      ).rejects.toThrow();
    }
  }
});
