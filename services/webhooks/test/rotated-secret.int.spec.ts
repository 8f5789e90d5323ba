import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type RunningService, startService } from '@tidegate/service-host/host';
import { sign } from '@tidegate/stripe-gateway/signature';
import { eventually } from '@tidegate/test-harness/eventually';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { readWebhooksConfig } from '../src/config.js';
import { FAILPOINTS } from '../src/failpoints.js';
import { SERVICE, setup } from '../src/webhooks.module.js';
import { OTHER_SECRET, SECRET, silent, stripeEvent } from './workbench.js';

jest.setTimeout(60_000);

describe('When the file of the signing secret changes under a running service', () => {
  let database: TestDatabase;
  let folder: string;
  let service: RunningService;
  const file = () => join(folder, 'webhook-secret');
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tidegate-rotated-'));
    writeFileSync(file(), SECRET);
    database = await postgresForTests();
    const config = readWebhooksConfig({
      PORT: '0',
      DATABASE_URL: database.urlFor('webhooks'),
      NATS_URL: 'nats://127.0.0.1:1',
      STRIPE_API_BASE: 'http://127.0.0.1:1',
      STRIPE_SECRET_KEY: ['sk', 'test', 'nobody'].join('_'),
      STRIPE_WEBHOOK_SECRET_FILE: file(),
      SHUTDOWN_GRACE_SECONDS: '0',
    });
    service = await startService(
      { service: SERVICE, version: 'spec', config, failpoints: FAILPOINTS, readyWithoutBroker: true, setup },
      silent,
    );
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
    rmSync(folder, { recursive: true });
  });

  it('it believes the new one beside the old one, and then the new one only', async () => {
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
