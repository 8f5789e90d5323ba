import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '@tidegate/local-stack/process/free-port';
import { natsPermissions } from '@tidegate/messaging/topology';
import { sign } from '@tidegate/stripe-gateway/signature';
import { eventually } from '@tidegate/test-harness/eventually';
import { natsForTests, type TestNats } from '@tidegate/test-harness/nats';
import { createLogger } from '@tidegate/telemetry/logger';
import { sql } from 'kysely';
import { orderReplay } from '../src/replay/order.flow.js';
import {
  deliver as store,
  listener,
  normalizer,
  openWorkbench,
  SECRET,
  staged,
  storedIds,
  stripeEvent,
  type Workbench,
} from './workbench.js';

let bench: Workbench;
let nats: TestNats;
let port: number;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  bench = await openWorkbench();
  nats = await natsForTests({ users: [{ user: 'webhooks', password: 'webhooks', permissions: natsPermissions('webhooks') }] });
  port = await freePort();
}, 60_000);
afterAll(async () => {
  for (const child of children) await end(child);
  await nats.stop();
  await bench.close();
}, 60_000);

/** The built service as a process; resolves when it listens. */
async function start(failpoint?: string): Promise<ChildProcess> {
  const child = spawnService(failpoint);
  await eventually(async () => expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200), { timeoutMs: 30_000 });
  return child;
}

function spawnService(failpoint?: string): ChildProcess {
  const env = {
    PATH: process.env['PATH'],
    PORT: String(port),
    DATABASE_URL: bench.database.urlFor('webhooks'),
    NATS_URL: nats.url('webhooks'),
    STRIPE_SECRET_KEY: ['sk', 'test', 'nobody'].join('_'),
    STRIPE_API_BASE: 'http://127.0.0.1:9',
    STRIPE_WEBHOOK_SECRET: SECRET,
    LOG_LEVEL: 'silent',
    SHUTDOWN_GRACE_SECONDS: '0',
    ...(failpoint === undefined ? {} : { TIDEGATE_FAILPOINT: failpoint }),
  };
  const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'bundle', 'main.js')], { env, stdio: 'ignore' });
  children.add(child);
  return child;
}

/** What the dead held; else the next one waits for their end. */
const endLeases = () => sql`UPDATE leases SET expires_at = clock_timestamp()`.execute(bench.db);

async function end(child: ChildProcess): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

const deliver = (event: object): Promise<number | 'no answer'> => {
  const body = JSON.stringify(event);
  const headers = {
    'content-type': 'application/json',
    'stripe-signature': sign(Buffer.from(body), SECRET, Math.floor(Date.now() / 1000)),
  };
  return fetch(`http://127.0.0.1:${port}/webhooks/stripe`, { method: 'POST', body, headers }).then(
    (reply) => reply.status,
    () => 'no answer' as const,
  );
};

describe('Killed', () => {
  it.each([
    ['webhooks.ingest.insert.before_commit', 0],
    ['webhooks.ingest.insert.after_commit', 1],
  ])(
    'at %s, the redelivery makes one row and one published event',
    async (failpoint, storedBefore) => {
      const event = stripeEvent();
      const dying = await start(`${failpoint}:kill:1`);
      const died = once(dying, 'exit');
      expect(await deliver(event)).toBe('no answer');
      expect((await died)[1]).toBe('SIGKILL');
      expect((await storedIds(bench)).filter((id) => id === event['id'])).toHaveLength(storedBefore);

      const next = await start();
      expect([await deliver(event), await deliver(event)]).toEqual([200, 200]);
      expect((await storedIds(bench)).filter((id) => id === event['id'])).toHaveLength(1);
      await eventually(async () =>
        expect((await staged(bench)).filter((one) => one.body.data.stripe_event_id === event['id'])).toHaveLength(1),
      );
      await end(next);
      expect(next.exitCode).toBe(0);
    },
    60_000,
  );

  it('twice while it takes events for a replay (webhooks.replay.take.before_commit, webhooks.replay.take.after_commit), each is replayed once', async () => {
    const app = listener(bench);
    await Promise.all(
      Array.from({ length: 450 }, (_, i) => store(app, stripeEvent({ type: 'charge.failed' }, { id: `pi_replayed_${i % 90}` }))),
    );
    await app.close();
    while ((await normalizer(bench).runOnce()) > 0);
    const before = (await staged(bench)).at(-1)!.id;

    const first = await start('webhooks.replay.take.before_commit:kill:2');
    const [firstDied, logger] = [once(first, 'exit'), createLogger({ service: 'spec', level: 'silent' })];
    const body = { filter: { type: 'charge.failed' }, reason: 'a drill' };
    const order = { db: bench.db, clock: { now: () => new Date() }, logger, ordered: () => undefined };
    expect(await orderReplay(order, { id: 'rpl_killed0000', tenant: null, actor: 'spec' }, body)).toMatchObject({ queued: 450 });
    expect((await firstDied)[1]).toBe('SIGKILL');
    await endLeases();
    const second = spawnService('webhooks.replay.take.after_commit:kill:1');
    expect((await once(second, 'exit'))[1]).toBe('SIGKILL');
    await endLeases();
    const third = await start();
    await eventually(async () => {
      const { rows } = await sql`SELECT status, taken FROM replay_jobs`.execute(bench.db);
      expect(rows).toEqual([{ status: 'completed', taken: 450 }]);
    });
    const replayed = (await staged(bench)).filter((one) => one.id > before).map((one) => one.body.data.stripe_event_id);
    expect([replayed.length, new Set(replayed).size]).toEqual([450, 450]);
    await end(third);
  }, 60_000);

  it.each(['before_commit', 'after_commit'])(
    'while an answered event is published (%s), it is published once',
    async (moment) => {
      const event = stripeEvent();
      const dying = await start(`webhooks.normalize.stage.${moment}:kill:1`);
      const died = once(dying, 'exit');
      await deliver(event);
      expect((await died)[1]).toBe('SIGKILL');
      const next = await start();
      await eventually(async () =>
        expect((await staged(bench)).filter((one) => one.body.data.stripe_event_id === event['id'])).toHaveLength(1),
      );
      await end(next);
    },
    60_000,
  );
});
