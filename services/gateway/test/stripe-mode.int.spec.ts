import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { secretListSubject } from '@tidegate/contracts/ops/secrets';
import { type Broker, connectBroker } from '@tidegate/messaging/connection';
import { DEADLINE_HEADER, RpcClient } from '@tidegate/messaging/rpc';
import { createLogger } from '@tidegate/telemetry/logger';
import { natsForTests, type TestNats } from '@tidegate/test-harness/nats';
import { askForMode } from '../src/api-key/stripe-mode.js';

let nats: TestNats;
let broker: Broker;
beforeAll(async () => {
  nats = await natsForTests();
  const logger = createLogger({ service: 'behind', level: 'silent' });
  broker = await connectBroker({ servers: nats.url(), name: 'behind', service: 'payments', logger });
}, 60_000);
afterAll(async () => {
  await broker.drain();
  await nats.stop();
});

const held = (instance: string) => {
  const STRIPE_KEY = { name: 'STRIPE_SECRET_KEY', fingerprint: 'sha256:00000000', kind: 'rk_live', source: 'environment' };
  return JSON.stringify({ service: 'payments', instance, secrets: [STRIPE_KEY] });
};

describe('The mode of the key of Stripe', () => {
  it('is heard from a service whose clock is seconds ahead', async () => {
    const AHEAD_MS = 3000;
    const nc = await broker.connection();
    const subscription = nc.subscribe(secretListSubject('payments'), {
      callback: (_, message) => {
        if (Date.now() + AHEAD_MS >= Number(message.headers?.get(DEADLINE_HEADER))) return;
        message.respond(held('ahead'));
      },
    });
    await nc.flush();
    expect(await askForMode(new RpcClient(broker))).toBe(true);
    subscription.unsubscribe();
  });

  it('is heard from the next holder, long before the usual time for an answer has passed, when the first one hangs', async () => {
    const nc = await broker.connection();
    const hanging = nc.subscribe(secretListSubject('payments'), { callback: () => undefined });
    const answering = nc.subscribe(secretListSubject('webhooks'), { callback: (_, message) => void message.respond(held('next')) });
    await nc.flush();
    const askedAt = performance.now();
    expect(await askForMode(new RpcClient(broker))).toBe(true);
    expect(performance.now() - askedAt).toBeLessThan(4_000);
    hanging.unsubscribe();
    answering.unsubscribe();
  });
});
