import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { repositoryRoot } from '@tidegate/local-stack/repository';
import { createLogger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import { natsForTests, type TestNats } from '@tidegate/test-harness/nats';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { z } from 'zod';
import { baseSettings } from '../src/base-config.js';
import { readConfig } from '../src/config.js';
import type { ReadinessReport } from '../src/health.js';
import { type RunningService, startService } from '../src/host.js';

const MIB = 1024 ** 2;
jest.setTimeout(60_000);

describe('When the store of the broker is full', () => {
  let database: TestDatabase;
  let nats: TestNats;
  let admin: NatsConnection;
  const services: RunningService[] = [];

  beforeAll(async () => {
    database = await postgresForTests({ migrate: 'none' });
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    nats = await natsForTests({ maxFileStoreBytes: 6 * MIB });
    admin = await connect(nats.connectOptions());
  });
  afterEach(async () => {
    for (const service of services.splice(0)) await service.stop();
    await admin.close();
    await nats.stop();
  });

  it('a worker is not ready until there is room again', async () => {
    const worker = await started('payments');
    await eventually(async () => expect((await readiness(worker)).status).toBe(200));

    await fillTheStore();
    await eventually(async () => {
      const { status, report } = await readiness(worker);
      expect(status).toBe(503);
      expect(report.dependencies).toMatchObject({ broker: { ok: true }, broker_store: { ok: false, needed: true } });
    });
    expect(await readyMetric(worker)).toBe('0');

    await makeRoom();
    await eventually(async () => expect((await readiness(worker)).status).toBe(200));
    expect(await readyMetric(worker)).toBe('1');
  });

  it('each thing that it waits for is on the page of a service that is down', async () => {
    const { report } = await readiness(await started('payments'));
    const page = readFileSync(join(repositoryRoot(), 'docs', 'runbooks', 'tidegate-down.md'), 'utf8');
    const waitsFor = ['migrations', ...Object.keys(report.dependencies)];
    expect(waitsFor.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  it('what takes its work over HTTP stays ready, and says that it is degraded', async () => {
    const ingest = await started('webhooks', { readyWithoutBroker: true });
    await eventually(async () => expect((await readiness(ingest)).report).toMatchObject({ ok: true, degraded: false }));

    await fillTheStore();
    await eventually(async () => {
      const { status, report } = await readiness(ingest);
      expect(report).toMatchObject({ ok: true, degraded: true, dependencies: { broker_store: { ok: false, needed: false } } });
      expect(status).toBe(200);
    });

    await nats.kill();
    await eventually(async () => expect((await readiness(ingest)).report.dependencies).toMatchObject({ broker: { ok: false } }));
    expect((await readiness(ingest)).status).toBe(200);
    await nats.start();
  });

  it('a service that owns no stream does not care', async () => {
    const gateway = await started('gateway');
    await fillTheStore();
    await eventually(async () => expect((await readiness(gateway)).report).toMatchObject({ ok: true, degraded: false }));
    expect((await readiness(gateway)).report.dependencies).not.toHaveProperty('broker_store');
  });

  async function started(service: string, options: { readyWithoutBroker?: boolean } = {}): Promise<RunningService> {
    const config = readConfig(z.object(baseSettings({ port: 0 })), {
      DATABASE_URL: database.url,
      NATS_URL: nats.url(),
      NATS_STREAM_MAX_BYTES: String(MIB),
      SHUTDOWN_GRACE_SECONDS: '0',
    });
    const running = await startService(
      { service, version: 'test', config, setup: () => ({ module: {} }), ...options },
      createLogger({ service, level: 'silent' }),
    );
    services.push(running);
    return running;
  }

  async function readiness({ url }: RunningService): Promise<{ status: number; report: ReadinessReport }> {
    const answer = await fetch(`${url}/readyz`);
    return { status: answer.status, report: (await answer.json()) as ReadinessReport };
  }

  async function readyMetric({ url }: RunningService): Promise<string | undefined> {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    return /^service_ready(?:\{.*\})? (\d)$/m.exec(metrics)?.[1];
  }

  async function fillTheStore(): Promise<void> {
    await (await jetstreamManager(admin)).streams.add({ name: 'FILLER', subjects: ['filler'] });
    for (const size of [64 * 1024, 1024, 16]) {
      const body = new Uint8Array(size);
      const untilRefused = async () => {
        for (;;) await jetstream(admin).publish('filler', body);
      };
      await expect(untilRefused()).rejects.toThrow();
    }
  }

  async function makeRoom(): Promise<void> {
    await (await jetstreamManager(admin)).streams.delete('FILLER');
  }
});
