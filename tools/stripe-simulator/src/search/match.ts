import { invalidParam } from '../http/errors.js';
import { type Clause, type Query } from './query.js';

/** `token` compares whole values, `text` also parts of them with `~`, `number` also sizes. `metadata` has keys. */
export type FieldKind = 'token' | 'text' | 'number' | 'metadata';
export type SearchFields = Readonly<Record<string, FieldKind>>;

const SHORTEST_PART = 3;

/** Checks a query against the fields of a resource and gives what decides about one object. */
export function matcherOf(query: Query, fields: SearchFields, resource: string): (item: object) => boolean {
  const tests = query.clauses.map((clause) => testOf(clause, fields, resource));
  return (item) => (query.all ? tests.every((test) => test(item)) : tests.some((test) => test(item)));
}

function testOf(clause: Clause, fields: SearchFields, resource: string): (item: object) => boolean {
  const { field, key, operator, value, negated } = clause;
  const kind = Object.hasOwn(fields, field) ? fields[field] : undefined;
  if (kind === undefined || (kind === 'metadata') !== (key !== undefined)) throw unsupported(field, resource);
  if (operator === '~' && kind !== 'text' && kind !== 'metadata') throw wrongOperator(field, operator);
  if (operator === '~' && (value?.length ?? 0) < SHORTEST_PART)
    throw invalidParam(`A partial match needs at least ${SHORTEST_PART} characters.`, 'query');
  if (/[<>]/.test(operator) && kind !== 'number') throw wrongOperator(field, operator);
  if (kind === 'number' && !/^-?\d+$/.test(value ?? '')) throw invalidParam(`Field \`${field}\` needs a whole number.`, 'query');
  return (item) => compare(read(item, field, key), operator, value) !== negated;
}

function read(item: object, field: string, key: string | undefined): unknown {
  const names = key === undefined ? field.split('.') : [field, key];
  return names.reduce<unknown>(
    (at, name) => (at !== null && typeof at === 'object' && Object.hasOwn(at, name) ? at[name as never] : undefined),
    item,
  );
}

function compare(actual: unknown, operator: Clause['operator'], wanted: string | null): boolean {
  if (wanted === null) return actual === undefined || actual === null;
  if (actual === undefined || actual === null) return false;
  const [have, want] = [String(actual as string).toLowerCase(), wanted.toLowerCase()];
  switch (operator) {
    case ':':
      return have === want;
    case '~':
      return have.includes(want);
    case '>':
      return Number(have) > Number(want);
    case '<':
      return Number(have) < Number(want);
    case '>=':
      return Number(have) >= Number(want);
    case '<=':
      return Number(have) <= Number(want);
  }
}

function wrongOperator(field: string, operator: string): Error {
  return invalidParam(`Operator \`${operator}\` is not supported for field \`${field}\`.`, 'query');
}

function unsupported(field: string, resource: string): Error {
  return invalidParam(
    `Field \`${field}\` is an unsupported search field for resource \`${resource}\`. See http://stripe.com/docs/search#query-fields-for-${resource.replaceAll('_', '-')} for a list of supported fields.`,
    'query',
  );
}
