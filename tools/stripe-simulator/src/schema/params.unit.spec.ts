import { describe, expect, it } from '@jest/globals';
import { StripeError } from '../http/errors.js';
import { type FormMap, type FormValue, emptyForm } from '../http/form.js';
import { routes } from '../routes.js';
import { type Fields, type SchemaNode } from './node.js';
import { readParams } from './params.js';
import { schema } from './schema.js';

/** A wrong value at one place of a form that is right everywhere else, and what Stripe says to it. */
interface Wrong {
  readonly kind: string;
  readonly path: readonly string[];
  readonly put: FormValue | undefined;
  readonly param: string;
  readonly code: string | undefined;
  readonly message: string;
}

const MAX_LEVELS = 4;
const operations = routes.map(({ operation, fields }) => [operation, fields ?? schema.operations[operation] ?? {}] as const);
const shown = (path: readonly string[]): string => path.map((name, at) => (at === 0 ? name : `[${name}]`)).join('');

/** The least that a node takes. */
function least(node: SchemaNode): FormValue {
  if (node.t === 'enum') return String(node.enum?.[0]);
  if (node.t === 'boolean') return 'true';
  if (node.t === 'object') return leastOf(node.fields ?? {});
  if (node.t === 'array') return form({ 0: least(node.items ?? { t: 'string' }) });
  if (node.t === 'anyOf') return least(node.of?.[0] ?? { t: 'string' });
  return ['map', 'metadata', 'range'].includes(node.t) ? emptyForm() : '1';
}

function leastOf(fields: Fields): FormMap {
  const required = Object.entries(fields).filter(([, node]) => node.opt === undefined);
  return form(Object.fromEntries(required.map(([name, node]) => [name, least(node)])));
}

const form = (from: Record<string, FormValue>): FormMap => Object.assign(emptyForm(), from);

/** Everything that can be wrong with one parameter and, where it is a hash, below it. */
function* wrongs(node: SchemaNode, path: readonly string[]): Generator<Wrong> {
  const param = shown(path);
  const wrong = (kind: string, put: FormValue, message: string, code?: string): Wrong => ({ kind, path, put, param, code, message });
  const hash = form({ x: '1' });
  switch (node.t) {
    case 'number':
    case 'int64':
      yield wrong('a word for a number', 'many', 'Invalid integer: many', 'parameter_invalid_integer');
      yield wrong('a hash for a number', hash, 'Invalid integer: ', 'parameter_invalid_integer');
      break;
    case 'string':
      yield wrong('a hash for text', hash, 'Invalid string: ');
      break;
    case 'boolean':
      yield wrong('a word for a boolean', 'perhaps', 'Invalid boolean: perhaps');
      break;
    case 'enum':
      yield wrong('a value outside of the enum', 'no-such-value', `Invalid ${param}: must be `);
      break;
    case 'array':
      yield wrong('text for an array', 'text', 'Invalid array');
      yield* below(node.items ?? { t: 'string' }, [...path, '0']);
      break;
    case 'object':
      yield wrong('text for a hash', 'text', 'Invalid object');
      yield* inside(node.fields ?? {}, path);
  }
}

function* below(node: SchemaNode, path: readonly string[]): Generator<Wrong> {
  if (path.length <= MAX_LEVELS) yield* wrongs(node, path);
}

function* inside(fields: Fields, path: readonly string[]): Generator<Wrong> {
  const unknown = [...path, 'no_such'];
  const said = `Received unknown parameter: ${shown(unknown)}`;
  yield { kind: 'unknown', path: unknown, put: '1', param: shown(unknown), code: 'parameter_unknown', message: said };
  for (const [name, node] of Object.entries(fields)) {
    const at = [...path, name];
    if (node.opt === undefined) {
      const message = `Missing required param: ${shown(at)}.`;
      yield { kind: 'missing', path: at, put: undefined, param: shown(at), code: 'parameter_missing', message };
    }
    yield* below(node, at);
  }
}

/** The right form with the wrong value in its place; what lies on the way is filled in rightly. */
function spoilt(fields: Fields, { path, put }: Wrong): FormMap {
  const whole = leastOf(fields);
  let at = whole;
  let known: Fields | undefined = fields;
  path.slice(0, -1).forEach((name) => {
    const node: SchemaNode | undefined = known === undefined ? undefined : (known[name] ?? known['*']);
    const there = at[name];
    const filled: FormValue = typeof there === 'object' ? there : node === undefined ? emptyForm() : least(node);
    at[name] = filled;
    at = filled as FormMap;
    known = node?.t === 'array' ? { '*': node.items ?? { t: 'string' } } : node?.fields;
  });
  const last = path.at(-1) ?? '';
  if (put === undefined) Reflect.deleteProperty(at, last);
  else at[last] = put;
  return whole;
}

function refusal(fields: Fields, wrong: Wrong): object {
  try {
    readParams(spoilt(fields, wrong), fields);
  } catch (error) {
    if (error instanceof StripeError) return { status: error.status, stored: error.stored, ...error.body };
    throw error;
  }
  return { status: 200 };
}

describe('The parameters of every operation', () => {
  it.each(operations)('%s: what is right is taken', (_, fields) => {
    expect(() => readParams(leastOf(fields), fields)).not.toThrow();
  });

  it.each(operations)('%s: what is wrong is refused with its path', (_, fields) => {
    const seen = [...inside(fields, [])].map((wrong) => ({ wrong, answer: refusal(fields, wrong) as Record<string, unknown> }));
    const odd = seen.filter(({ wrong: { param, code, message }, answer }) => {
      const same = answer['status'] === 400 && answer['param'] === param && answer['code'] === code && answer['stored'] === false;
      return !same || !String(answer['message']).startsWith(message);
    });
    expect(odd.slice(0, 3)).toEqual([]);
  });

  it('are many', () => {
    const kinds = new Map<string, number>();
    for (const [, fields] of operations) for (const { kind } of inside(fields, [])) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    expect([...kinds.keys()].sort()).toEqual([
      'a hash for a number',
      'a hash for text',
      'a value outside of the enum',
      'a word for a boolean',
      'a word for a number',
      'missing',
      'text for a hash',
      'text for an array',
      'unknown',
    ]);
    expect([...kinds.values()].every((count) => count >= 20)).toBe(true);
  });
});
