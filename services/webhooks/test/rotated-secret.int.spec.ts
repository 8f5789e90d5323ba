import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type RunningService, startService } from '@tidegate/service-host/host';
import { fingerprintOf } from '@tidegate/service-host/secret';
import { sign } from '@tidegate/stripe-gateway/signature';
import { createLogger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { simulatorForTests } from '@tidegate/test-harness/simulator';
import { type Simulator } from '@tidegate/stripe-simulator/simulator';
import { readWebhooksConfig } from '../src/config.js';
import { FAILPOINTS } from '../src/failpoints.js';
import { SERVICE, setup } from '../src/webhooks.module.js';
import { OTHER_SECRET, SECRET, stripeEvent } from './workbench.js';

jest.setTimeout(60_000);

const [KEY, OTHER_KEY] = ['one', 'other'].map((name) => ['sk', 'test', `the${name}key`].join('_')) as [string, string];

describe('When the file of a secret changes under a running service', () => {
  let database: TestDatabase;
  let folder: string;
  let service: RunningService;
  let simulator: Simulator;
  /** What Stripe accepts. */
  const keys = [KEY];
  const lines: Record<string, unknown>[] = [];
  const keyFile = () => join(folder, 'key');
  const file = () => join(folder, 'webhook-secret');
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tidegate-rotated-'));
    writeFileSync(file(), SECRET);
    writeFileSync(keyFile(), KEY);
    [database, simulator] = await Promise.all([postgresForTests(), simulatorForTests({ apiKeys: keys })]);
    const config = readWebhooksConfig({
      PORT: '0',
      DATABASE_URL: database.urlFor('webhooks'),
      NATS_URL: 'nats://127.0.0.1:1',
      STRIPE_API_BASE: simulator.url,
      STRIPE_SECRET_KEY_FILE: keyFile(),
      WEBHOOKS_SWEEP_SECONDS: '1',
      STRIPE_WEBHOOK_SECRET_FILE: file(),
      SHUTDOWN_GRACE_SECONDS: '0',
    });
    service = await startService(
      { service: SERVICE, version: 'spec', config, failpoints: FAILPOINTS, readyWithoutBroker: true, setup },
      createLogger({ service: SERVICE, destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) } }),
    );
  });
  afterAll(async () => {
    await service.stop();
    await simulator.close();
    await database.drop();
    rmSync(folder, { recursive: true });
  });

  it('it believes the new signing secret beside the old one, and then the new one only', async () => {
    expect(await delivered(SECRET)).toBe(200);
    expect(await delivered(OTHER_SECRET)).toBe(400);

    writeFileSync(file(), `${SECRET},${OTHER_SECRET}`);
    await eventually(async () => expect(await delivered(OTHER_SECRET)).toBe(200));
    expect(await delivered(SECRET)).toBe(200);

    writeFileSync(file(), OTHER_SECRET);
    await eventually(async () => expect(await delivered(SECRET)).toBe(400));
    expect(await delivered(OTHER_SECRET)).toBe(200);
  });

  it('loses no delivery on the way, however many arrive meanwhile', async () => {
    writeFileSync(file(), SECRET);
    await eventually(async () => expect(await delivered(SECRET)).toBe(200));
    let signing = SECRET;
    let over = false;
    const statuses: number[] = [];
    const senders = Array.from({ length: 8 }, async () => {
      while (!over) statuses.push(await delivered(signing));
    });

    // As at Stripe: the new one is known here before anything is signed with it, and the old one goes when nothing is any more.
    writeFileSync(file(), `${SECRET},${OTHER_SECRET}`);
    await eventually(async () => expect(await delivered(OTHER_SECRET)).toBe(200));
    signing = OTHER_SECRET;
    const soFar = statuses.length;
    await eventually(() => expect(statuses.length).toBeGreaterThan(soFar + 16));
    writeFileSync(file(), OTHER_SECRET);
    await eventually(async () => expect(await delivered(SECRET)).toBe(400));
    over = true;
    await Promise.all(senders);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(statuses.length).toBeGreaterThan(50);
  });

  it('goes on asking Stripe for events when its own key is another one and the old one is revoked', async () => {
    const asked = () => simulator.world.requests.all().filter(({ path }) => path === '/v1/events');
    await eventually(() => expect(asked().length).toBeGreaterThan(0));
    keys.push(OTHER_KEY);
    writeFileSync(keyFile(), OTHER_KEY);
    await eventually(() =>
      expect(lines).toContainEqual(expect.objectContaining({ event: 'setting_changed', fingerprint: fingerprintOf(OTHER_KEY) })),
    );
    keys.shift();
    const before = asked().length;
    await eventually(() => expect(asked().length).toBeGreaterThan(before + 1));
    expect(new Set(asked().map(({ status }) => status))).toEqual(new Set([200]));
  });

  it('is ready all the while, although there is no broker', async () => {
    expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
  });

  async function delivered(secret: string): Promise<number> {
    const body = Buffer.from(JSON.stringify(stripeEvent()));
    const answer = await fetch(`${service.url}/webhooks/stripe`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'stripe-signature': sign(body, secret, Math.floor(Date.now() / 1000)) },
      body,
    });
    return answer.status;
  }
});
