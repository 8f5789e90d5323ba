import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLogger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { sql } from 'kysely';
import pg from 'pg';
import { readFileSync } from 'node:fs';
import { type Database, openDatabase } from '../src/database.js';
import { Lease } from '../src/lease.js';
import { eachRenewal } from '../src/lease-renewals.js';

describe('When processes want the same lease', () => {
  let database: TestDatabase;
  let opened: Database<Record<string, never>>;
  beforeAll(async () => {
    database = await postgresForTests({ migrate: 'none' });
    const admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
    await admin.query(readFileSync(join(import.meta.dirname, '..', 'migrations', '0001_leases.sql'), 'utf8'));
    await admin.end();
    opened = openDatabase(
      { url: database.url, poolSize: 4, applicationName: 'lease test' },
      createLogger({ service: 'test', level: 'silent' }),
    );
  });
  afterAll(async () => {
    await opened.close();
    await database.drop();
  });

  it('gives it to one, and to another only after its end, with a higher epoch', async () => {
    const [a, b] = [new Lease(opened.db, 'one', 'a', 300), new Lease(opened.db, 'one', 'b', 300)];
    expect(await a.acquire()).toBe(1);
    expect(await b.acquire()).toBeNull();
    expect(await a.acquire()).toBe(1);
    expect(await a.renew()).toBe(true);

    await eventually(async () => expect(await b.acquire()).toBe(2));
    expect(await a.renew()).toBe(false);
    expect(await a.acquire()).toBeNull();
  });

  it('passes it on at once when it is released', async () => {
    const [a, b] = [new Lease(opened.db, 'two', 'a'), new Lease(opened.db, 'two', 'b')];
    await a.acquire();
    await a.release();
    expect(await b.acquire()).toBe(2);
  });

  it('does not renew a lease that ran out, even if nobody took it', async () => {
    const a = new Lease(opened.db, 'three', 'a', 50);
    await a.acquire();
    await eventually(async () => expect(await new Lease(opened.db, 'three', 'b', 1).acquire()).toBe(2));
    expect(await a.renew()).toBe(false);
  });

  it('renews those of one moment in one statement, and each learns for itself whether it was renewed', async () => {
    const [kept, alsoKept, ranOut, never] = [
      new Lease(opened.db, 'five', 'a'),
      new Lease(opened.db, 'six', 'a'),
      new Lease(opened.db, 'seven', 'a', 50),
      new Lease(opened.db, 'eight', 'a'),
    ];
    await Promise.all([kept, alsoKept, ranOut].map((lease) => lease.acquire()));
    await eventually(async () => expect(await new Lease(opened.db, 'seven', 'b').acquire()).toBe(2));
    let asked = 0;
    const count = () => (asked += 1);
    opened.pool.on('acquire', count);
    expect(await Promise.all([kept, ranOut, never, alsoKept].map((lease) => lease.renew()))).toEqual([true, false, false, true]);
    opened.pool.off('acquire', count);
    expect(asked).toBe(1);
    expect([kept, ranOut, alsoKept].map((lease) => lease.epoch)).toEqual([1, null, 1]);
  });

  it('keeps all leases of a process beyond their time, as long as it is asked to', async () => {
    const leases = ['nine', 'ten'].map((name) => new Lease(opened.db, name, 'a', 1500));
    await Promise.all(leases.map((lease) => lease.acquire()));
    const renewals: Promise<boolean>[] = [];
    const stops = leases.map((lease) => eachRenewal(() => void renewals.push(lease.renew())));
    await eventually(() => expect(renewals.length).toBeGreaterThanOrEqual(4));
    stops.forEach((stop) => stop());
    expect(await Promise.all(renewals)).not.toContain(false);
    expect(await new Lease(opened.db, 'ten', 'b').acquire()).toBeNull();
  });

  it('is asked for again and again without a write: those who wait share one look, and take it when it is free', async () => {
    const held = ['eleven', 'twelve'].map((name) => new Lease(opened.db, name, 'a'));
    await Promise.all(held.map((lease) => lease.acquire()));
    const waiting = ['eleven', 'twelve'].map((name) => new Lease(opened.db, name, 'b'));
    const rowVersions = () =>
      sql<{ version: string }>`SELECT ctid::text || xmax::text AS version FROM leases ORDER BY name`.execute(opened.db);
    const before = (await rowVersions()).rows;
    let asked = 0;
    const count = () => (asked += 1);
    opened.pool.on('acquire', count);
    expect(await Promise.all(waiting.map((lease) => lease.acquireIfFree()))).toEqual([null, null]);
    opened.pool.off('acquire', count);
    expect(asked).toBe(1);
    expect((await rowVersions()).rows).toEqual(before);

    expect(await held[0]!.acquireIfFree()).toBe(1);
    await held[0]!.release();
    await eventually(async () => expect(await waiting[0]!.acquireIfFree()).toBe(2));
    expect(await waiting[1]!.acquireIfFree()).toBeNull();
  });

  it('lets exactly one of many win', async () => {
    const outcomes = await Promise.all(Array.from({ length: 12 }, (_, n) => new Lease(opened.db, 'four', `holder-${n}`).acquire()));
    expect(outcomes.filter((epoch) => epoch !== null)).toEqual([1]);
  });

  it('survives the loss of its connections', async () => {
    await opened.db.connection().execute(async () => undefined);
    const admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
    await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lease test'`);
    await admin.end();
    await eventually(async () => expect(await new Lease(opened.db, 'five', 'a').acquire()).toBe(1));
  });
});
