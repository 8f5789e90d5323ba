import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLogger } from '@tidegate/telemetry/logger';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { sql } from 'kysely';
import { binaryArray, type ElementType } from '../src/binary-array.js';
import { type Database, openDatabase } from '../src/database.js';

const ID = '0192f7a4-0000-7abc-8def-0123456789ab';

describe('An array in binary format', () => {
  let database: TestDatabase;
  let opened: Database<Record<string, never>>;
  beforeAll(async () => {
    database = await postgresForTests({ migrate: 'none' });
    opened = openDatabase(
      { url: database.url, poolSize: 1, applicationName: 'binary arrays test' },
      createLogger({ service: 'test', level: 'silent' }),
    );
  });
  afterAll(async () => {
    await opened.close();
    await database.drop();
  });

  /** Whether it is the array that Postgres makes of what the driver writes for other values; the cast in parentheses is one that the client does not look at. */
  const isTheDrivers = async (bytes: Buffer, type: ElementType, values: readonly unknown[]): Promise<boolean> => {
    const array = sql.raw(`${type}[]`);
    const { rows } = await sql<{
      same: boolean;
    }>`SELECT ${bytes}::${array} IS NOT DISTINCT FROM CAST(${[...values]} AS ${array}) AS same`.execute(opened.db);
    return rows[0]!.same;
  };

  const same: [ElementType, unknown[]][] = [
    ['text', []],
    ['text', [null]],
    ['text', ['', 'a', null, 'NULL', '{"a\\b",}', "it's", ' spaces ']],
    ['text', ['K\u00e4se', '\u5024\u6bb5', '\u{1f4b8}\u{1f4b8}', 'plain', '\ud800']],
    // Wider than it is long, at the end, where no room was left for it.
    ['text', ['a'.repeat(100), '\u5024'.repeat(5_000), '\u00e4'.repeat(7_000), 'b']],
    ['text', Array.from({ length: 5_000 }, (_, n) => `pay_${n}`)],
    ['integer', [0, 1, -1, 2_147_483_647, -2_147_483_648, null]],
    ['int', []],
    ['bigint', [0, -1, 4_294_967_296, -4_294_967_297, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, null]],
    ['boolean', [true, false, null]],
    [
      'timestamptz',
      [new Date('2026-11-23T01:02:03.456Z'), new Date(0), new Date('1999-12-31T23:59:59.999Z'), new Date('9999-12-31T23:59:59.999Z'), null],
    ],
    ['uuid', [ID, 'FFFFFFFF-ffff-ffff-ffff-ffffffffffff', null]],
  ];
  it.each(same.map(([type, values], n) => [type, n, values] as const))(
    'of %s is what the driver would have written (%#)',
    async (type, _n, values) => {
      const bytes = binaryArray(type, values);
      expect(bytes).not.toBeNull();
      expect(await isTheDrivers(bytes!, type, values)).toBe(true);
    },
  );

  it('tells one value from another', async () => {
    expect(await isTheDrivers(binaryArray('text', ['a', 'b'])!, 'text', ['a', 'c'])).toBe(false);
    expect(await isTheDrivers(binaryArray('text', ['a', null])!, 'text', ['a', ''])).toBe(false);
    expect(await isTheDrivers(binaryArray('bigint', [2 ** 40])!, 'bigint', [2 ** 40 + 1])).toBe(false);
  });

  const left: [ElementType, unknown][] = [
    ['text', 1],
    ['text', undefined],
    ['text', ['a']],
    ['integer', 2 ** 31],
    ['integer', -(2 ** 31) - 1],
    ['integer', 0.5],
    ['integer', '1'],
    ['bigint', 2 ** 53],
    ['bigint', 0.5],
    ['bigint', NaN],
    ['bigint', 1n],
    ['boolean', 'true'],
    ['timestamptz', '2026-11-23T01:02:03.456789Z'],
    ['timestamptz', new Date(NaN)],
    ['uuid', ID.replaceAll('-', '')],
    ['uuid', `${ID.slice(0, -1)}g`],
  ];
  it.each(left)('is left to the driver when one of %s is %p', (type, value) => {
    expect(binaryArray(type, [null, value])).toBeNull();
  });

  describe('as the client sends it', () => {
    const asked = (type: ElementType, values: readonly unknown[]) =>
      sql<{ one: unknown }>`SELECT one FROM unnest(${[...values]}::${sql.raw(`${type}[]`)}) AS one`.execute(opened.db);

    it.each([
      ['text', ['a', null, 'b']],
      ['timestamptz', [new Date('2026-11-23T01:02:03.456Z'), null]],
      // Left to the driver, microseconds and all.
      ['text', ['a', undefined]],
    ] as [ElementType, unknown[]][])('arrives: %s %j', async (type, values) => {
      const { rows } = await asked(type, values);
      expect(rows.map((row) => row.one)).toEqual(values.map((value) => value ?? null));
    });

    it('is refused by Postgres, with its own code, where the driver would have been', async () => {
      await expect(asked('text', ['a\0b'])).rejects.toMatchObject({ code: '22021' });
      await expect(asked('integer', [2 ** 31])).rejects.toMatchObject({ code: '22003' });
      await expect(asked('uuid', ['no'])).rejects.toMatchObject({ code: '22P02' });
    });

    it('may be casted further', async () => {
      const { rows } = await sql<{
        one: Date;
      }>`SELECT one FROM unnest(${['2026-11-23T01:02:03.456Z']}::text[]::timestamptz[]) AS one`.execute(opened.db);
      expect(rows).toEqual([{ one: new Date('2026-11-23T01:02:03.456Z') }]);
    });
  });
});
