import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createLogger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import { natsForTests, type TestNats } from '@tidegate/test-harness/nats';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import pg from 'pg';
import { z } from 'zod';
import { baseSettings } from '../src/base-config.js';
import { readConfig } from '../src/config.js';
import type { ReadinessReport } from '../src/health.js';
import { type RunningService, startService } from '../src/host.js';

jest.setTimeout(60_000);

describe('A new version that is rolled out before its migrations', () => {
  let database: TestDatabase;
  let nats: TestNats;
  let admin: pg.Client;
  let running: RunningService | undefined;
  beforeAll(async () => {
    [database, nats] = await Promise.all([postgresForTests(), natsForTests()]);
    admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
  });
  afterEach(() => running?.stop());
  afterAll(async () => {
    await admin?.end();
    await nats?.stop();
    await database?.drop();
  });

  it('is not ready until they have run, so that the version before is not taken away', async () => {
    const { rows } = await admin.query('DELETE FROM gateway.migrations WHERE id = (SELECT max(id) FROM gateway.migrations) RETURNING *');
    running = await started();
    const waiting = await readiness(running);
    expect([waiting.status, waiting.report.dependencies['migrations']]).toEqual([
      503,
      { ok: false, needed: true, error: `1 migrations have not run, the first is ${rows[0].id}` },
    ]);
    await admin.query('INSERT INTO gateway.migrations SELECT * FROM json_populate_record(NULL::gateway.migrations, $1)', [
      JSON.stringify(rows[0]),
    ]);
    await eventually(async () => expect((await readiness(running!)).status).toBe(200));
  });

  it('does not mind those of a version after it', async () => {
    await admin.query(`INSERT INTO gateway.migrations (id, sha256) VALUES ('gateway/9999_later.sql', '')`);
    running = await started();
    await eventually(async () => expect((await readiness(running!)).status).toBe(200));
  });

  function started(): Promise<RunningService> {
    const config = readConfig(z.object(baseSettings({ port: 0 })), {
      DATABASE_URL: database.urlFor('gateway'),
      NATS_URL: nats.url(),
      SHUTDOWN_GRACE_SECONDS: '0',
    });
    return startService(
      { service: 'gateway', version: 'test', config, schema: 'gateway', setup: () => ({ module: {} }) },
      createLogger({ service: 'gateway', level: 'silent' }),
    );
  }

  async function readiness({ url }: RunningService): Promise<{ status: number; report: ReadinessReport }> {
    const answer = await fetch(`${url}/readyz`);
    return { status: answer.status, report: (await answer.json()) as ReadinessReport };
  }
});
