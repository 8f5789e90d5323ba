import { afterAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { postgresForTests } from './postgres.js';

describe('When a test asks for a database', () => {
  const opened: { drop(): Promise<void> }[] = [];
  afterAll(() => Promise.all(opened.map((one) => one.drop())));

  it('gets an empty one of its own, with password authentication on the loopback address', async () => {
    const [first, second] = [await postgresForTests({ migrate: 'none' }), await postgresForTests({ migrate: 'none' })];
    opened.push(first, second);

    expect(first.name).not.toBe(second.name);
    expect(new URL(first.url).hostname).toBe('127.0.0.1');
    const wrong = new URL(first.url);
    wrong.password = 'wrong';
    await expect(new pg.Client({ connectionString: wrong.href }).connect()).rejects.toThrow('password authentication failed');
  });

  it('gets a clone of the migrated template, and the migration runs once', async () => {
    let runs = 0;
    const migrate = {
      key: `spec_${process.pid}`,
      passwordOf: () => 'spec',
      run: async (url: string) => {
        runs += 1;
        const client = new pg.Client({ connectionString: url });
        await client.connect();
        await client.query('create table marks (id int primary key); insert into marks values (7)');
        await client.query(`create role spec_role_${process.pid} login password 'spec'`);
        await client.query(
          `alter role spec_role_${process.pid} in database "template_spec_${process.pid}" set search_path = pg_temp, public`,
        );
        await client.end();
      },
    };

    const clones = await Promise.all([postgresForTests({ migrate }), postgresForTests({ migrate })]);
    opened.push(...clones);

    expect(runs).toBe(1);
    for (const clone of clones) {
      const client = new pg.Client({ connectionString: clone.url });
      await client.connect();
      expect((await client.query('select id from marks')).rows).toEqual([{ id: 7 }]);
      await client.end();
    }
    const asRole = new pg.Client({ connectionString: clones[0]?.urlFor(`spec_role_${process.pid}`) });
    await asRole.connect();
    expect((await asRole.query('show search_path')).rows).toEqual([{ search_path: 'pg_temp, public' }]);
    await asRole.end();
  });

  it('is told of a connection that it forgot to close', async () => {
    const database = await postgresForTests({ migrate: 'none' });
    const forgotten = new pg.Client({ connectionString: database.url });
    forgotten.on('error', () => undefined);
    await forgotten.connect();
    await forgotten.query(`select 'the forgotten one'`);

    await expect(database.drop()).rejects.toThrow(/1 connection\(s\) .* left open: postgres: select 'the forgotten one'/);
  });
});
