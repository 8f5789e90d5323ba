import { describe, expect, it } from '@jest/globals';
import { readMigrations } from '../src/migration-files.js';
import { schemasOf, sharedSchemasOf } from '../src/schema-file.js';

/**
 * What the version before would stumble over that runs while and after a migration does: a thing that it reads is gone or called otherwise, or a row that it writes is
 * refused. Such a change is made in two versions: the first adds the new thing and uses both, the second takes the old one away.
 */
const BREAKING: Readonly<Record<string, RegExp>> = {
  'drops a table': /\bDROP\s+TABLE\b/i,
  'drops a column': /\bDROP\s+COLUMN\b/i,
  'drops a function': /\bDROP\s+FUNCTION\b/i,
  'renames something': /\bRENAME\s+(TO|COLUMN|CONSTRAINT)\b/i,
  'changes the type of a column': /\bALTER\s+COLUMN\s+\w+\s+(SET\s+DATA\s+)?TYPE\b/i,
  'refuses nulls that were allowed': /\bSET\s+NOT\s+NULL\b/i,
  'drops a default': /\bDROP\s+DEFAULT\b/i,
  'adds a column that must be given':
    /\bADD\s+COLUMN\s+(IF\s+NOT\s+EXISTS\s+)?\w+\s+(?![^,;]*\b(DEFAULT|GENERATED)\b)[^,;]*\bNOT\s+NULL\b/i,
  'checks rows that the version before writes': /\bADD\s+CONSTRAINT\b/i,
};

/** From before the first release: no version ran beside them. Nothing is added here without a word on why the version before does not mind. */
const BEFORE_THE_FIRST_RELEASE = [
  'payments/0006_waiting.sql: refuses nulls that were allowed',
  'reconciliation/0004_two_way_compare.sql: checks rows that the version before writes',
  'webhooks/0002_stripe_events_for_years.sql: drops a table',
  'webhooks/0002_stripe_events_for_years.sql: renames something',
];

const withoutComments = (text: string): string => text.replace(/--[^\n]*/g, '');

const breaking = (name: string, text: string): string[] =>
  Object.entries(BREAKING).flatMap(([what, pattern]) => (pattern.test(withoutComments(text)) ? [`${name}: ${what}`] : []));

describe('Migrations', () => {
  it('only add: the version before runs beside the new one during a deploy, and after it when it is taken back', () => {
    const dirs = [...schemasOf(), ...sharedSchemasOf()].flatMap((schema) => schema.dirs);
    const files = new Map(dirs.flatMap(readMigrations).map(({ id, sql }) => [id, sql]));
    expect(files.size).toBeGreaterThan(25);
    const found = [...files].flatMap(([id, text]) => breaking(id, text));
    expect(found.sort()).toEqual(BEFORE_THE_FIRST_RELEASE);
  });

  it.each([
    ['ALTER TABLE a DROP COLUMN b', 'drops a column'],
    ['ALTER TABLE a RENAME COLUMN b TO c', 'renames something'],
    ['ALTER TABLE a ADD COLUMN b text NOT NULL', 'adds a column that must be given'],
    ['ALTER TABLE a ALTER COLUMN b TYPE bigint', 'changes the type of a column'],
  ])('would be found out by %s', (text, what) => {
    expect(breaking('x', text)).toEqual([`x: ${what}`]);
  });

  it.each([
    'ALTER TABLE a ADD COLUMN b text',
    "ALTER TABLE a ADD COLUMN b text NOT NULL DEFAULT ''",
    'CREATE TABLE a (b text NOT NULL)',
    '-- DROP TABLE a',
  ])('may say %s', (text) => {
    expect(breaking('x', text)).toEqual([]);
  });
});
