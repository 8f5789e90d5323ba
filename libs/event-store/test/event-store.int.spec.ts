import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openDatabase, type Database } from '@tidegate/database/database';
import { migrate } from '@tidegate/database/migrate';
import { createLogger } from '@tidegate/telemetry/logger';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { sql } from 'kysely';
import { append, WrongExpectedVersion } from '../src/append.js';
import { type NewEvent } from '../src/event.js';
import { readAll, readStream } from '../src/read.js';

const logger = createLogger({ service: 'test', level: 'silent' });
const metadata = { correlation_id: 'c', causation_id: null, traceparent: null };
const at = new Date('2026-01-02T03:04:05Z');
const event = (type: string, data: unknown = {}): NewEvent => ({ type, version: 1, data });

describe('When events are appended', () => {
  let database: TestDatabase;
  let opened: Database<Record<string, never>>;
  const role = `event_store_${process.pid}`;
  beforeAll(async () => {
    database = await postgresForTests({ migrate: 'none' });
    await migrate(database.url, {
      schema: 'shop',
      role,
      password: 'secret',
      dirs: [{ id: 'event-store', path: join(import.meta.dirname, '..', 'migrations') }],
    });
    const url = new URL(database.url);
    url.username = role;
    url.password = 'secret';
    opened = openDatabase({ url: url.href, poolSize: 10, applicationName: 'event store test' }, logger);
  });
  afterAll(async () => {
    await opened.close();
    const admin = openDatabase<Record<string, never>>({ url: database.url, poolSize: 1, applicationName: 'clean up' }, logger);
    await sql.raw(`DROP SCHEMA shop CASCADE; DROP OWNED BY ${role}; DROP ROLE ${role}`).execute(admin.db);
    await admin.close();
    await database.drop();
  });

  const appendTo = (stream: string, expected: number, events: NewEvent[]) =>
    opened.db.transaction().execute((tx) => append(tx, stream, expected, events, metadata, at));

  it('reads them back in order, as they were given', async () => {
    expect(await appendTo('order:1', 0, [event('OrderPlaced', { amount: 7 }), event('OrderPaid')])).toBe(2);
    expect(await appendTo('order:1', 2, [event('OrderShipped')])).toBe(3);

    const events = await readStream(opened.db, 'order:1');
    expect(events.map((one) => [one.stream_version, one.type])).toEqual([
      [1, 'OrderPlaced'],
      [2, 'OrderPaid'],
      [3, 'OrderShipped'],
    ]);
    expect(events[0]).toMatchObject({ stream: 'order:1', version: 1, data: { amount: 7 }, metadata, occurred_at: at });
    expect((await readAll(opened.db, events[0]?.position ?? 0, 10)).slice(0, 2).map((one) => one.type)).toEqual([
      'OrderPaid',
      'OrderShipped',
    ]);
  });

  it.each([0, 1, 3, 9])('refuses the expected version %d of a stream at 2, and the transaction goes on', async (expected) => {
    const stream = `order:at-2-${expected}`;
    await appendTo(stream, 0, [event('A'), event('B')]);
    await opened.db.transaction().execute(async (tx) => {
      await expect(append(tx, stream, expected, [event('C'), event('D')], metadata, at)).rejects.toThrow(WrongExpectedVersion);
      expect(await append(tx, stream, 2, [event('C')], metadata, at)).toBe(3);
    });
    expect(await readStream(opened.db, stream)).toHaveLength(3);
  });

  it('lets one of many concurrent writers win each version', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, n) => appendTo('order:race', 0, [event(`By${n}`), event('Then')])),
    );
    expect(outcomes.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    for (const one of outcomes) if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(WrongExpectedVersion);
    expect(await readStream(opened.db, 'order:race')).toHaveLength(2);
  });

  it('lets nobody change or remove one', async () => {
    await expect(sql`UPDATE events SET data = '{}'`.execute(opened.db)).rejects.toThrow('permission denied');
    await expect(sql`DELETE FROM events`.execute(opened.db)).rejects.toThrow('permission denied');
    const owner = openDatabase<Record<string, never>>({ url: database.url, poolSize: 1, applicationName: 'owner' }, logger);
    await expect(sql`UPDATE shop.events SET data = '{}'`.execute(owner.db)).rejects.toThrow('events are insert-only');
    await expect(sql`TRUNCATE shop.events`.execute(owner.db)).rejects.toThrow('events are insert-only');
    await owner.close();
  });
});
